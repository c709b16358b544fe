{#
    The incremental strategy `mlmon_windows`: all rows of the touched windows are replaced, also of windows
    whose new result is empty (plain delete+insert leaves those behind). The touched windows are the model
    named in the config's meta as `touched`, with columns window_key and fingerprint.
#}
{% macro get_incremental_mlmon_windows_sql(arg_dict) %}
    {%- set target = arg_dict['target_relation'] -%}
    {%- set columns = get_quoted_csv(arg_dict['dest_columns'] | map(attribute='name')) -%}
    delete from {{ target }}
    where {{ arg_dict['unique_key'] }} in (
        select window_key from {{ ref('mlmon', config.get('meta').touched) }}
    );
    insert into {{ target }} ({{ columns }})
    select {{ columns }} from {{ arg_dict['temp_relation'] }}
{% endmacro %}

{#
    Records, in the transaction that replaced the windows, what they were computed from. A table that was
    built anew holds the touched windows only, so what was recorded for it before is forgotten.
#}
{% macro record_windows(touched) %}
    {%- set processed = ref('mlmon', 'int_mlmon__processed_windows') -%}
    delete from {{ processed }}
    where
        model_name = '{{ model.name }}'
        {%- if is_incremental() %}
        and window_key in (select window_key from {{ touched }})
        {%- endif %};
    insert into {{ processed }} (model_name, window_key, fingerprint)
    select '{{ model.name }}', window_key, fingerprint
    from {{ touched }}
    where fingerprint is not null
{% endmacro %}
