{#
    The incremental strategy `mlmon_windows`: all rows of the stale windows are replaced, also of windows whose new
    result is empty (plain delete+insert leaves those behind). The model's config says which windows are stale:
    meta={'stale': 'labels'} are those of int_mlmon__stale_windows with facts = 'labels', meta={'stale': 'estimates'}
    those of int_mlmon__stale_ends with facts = 'estimates', and any other name is that of a table with window_key and
    fingerprint. Rows of other windows are left out, which a table of an earlier run may still hold, unless the model
    says that it has such: meta={'has_other_windows': true}. With --empty nothing was computed and nothing is replaced.
#}
{% macro get_incremental_mlmon_windows_sql(arg_dict) %}
    {%- set target = arg_dict['target_relation'] -%}
    {%- set columns = get_quoted_csv(arg_dict['dest_columns'] | map(attribute='name')) -%}
    {%- if flags.EMPTY %}
    select 1
    {%- else %}
    delete from {{ target }}
    where {{ arg_dict['unique_key'] }} in (
        select window_key from {{ mlmon.stale_rows(config.get('meta').stale) }}
    );
    insert into {{ target }} ({{ columns }})
    select {{ columns }} from {{ arg_dict['temp_relation'] }}
    {%- if not config.get('meta').get('has_other_windows') %}
    where {{ arg_dict['unique_key'] }} in (
        select window_key from {{ mlmon.stale_rows(config.get('meta').stale) }}
    )
    {%- endif %}
    {%- endif %}
{% endmacro %}

{#
    Records, in the transaction that replaced the windows, what they were computed from. A table that was built anew
    holds the stale windows only, so what was recorded for it before is deleted. With `dbt clone` a model is a view, and
    nothing was computed.
#}
{% macro record_windows(stale) %}
    {%- set processed = builtins.ref('mlmon', 'int_mlmon__processed_windows').render() -%}
    {%- set stale_rows = mlmon.stale_rows(stale) -%}
    {%- set is_clone = flags.WHICH == 'clone' -%}
    {%- if not is_clone and not (flags.EMPTY and is_incremental()) %}
    delete from {{ processed }}
    where
        model_name = '{{ model.name }}'
        {%- if is_incremental() %}
        and window_key in (select window_key from {{ stale_rows }})
        {%- endif %}
    {%- endif %}
    {%- if not is_clone and not flags.EMPTY and not mlmon.leaves_out(stale) %};
    insert into {{ processed }} (model_name, window_key, fingerprint)
    select '{{ model.name }}', window_key, fingerprint
    from {{ stale_rows }}
    where fingerprint is not null
    {%- endif %}
{% endmacro %}

{% macro stale_rows(stale) %}
    {%- for list, kinds in {'stale_windows': mlmon.facts(), 'stale_ends': mlmon.ends()}.items() if stale in kinds -%}
        {{- return(
            "(select window_key, fingerprint from " ~ ref('mlmon', 'int_mlmon__' ~ list)
            ~ " where facts = '" ~ stale ~ "') as " ~ list
        ) -}}
    {%- endfor -%}
    {{- return(ref('mlmon', stale)) -}}
{% endmacro %}

{#
    Whether this run lists anew what is stale, but leaves out a table that the rows of this model are made of
    (`dbt build --exclude`). Such rows are made of what was there before. They are not recorded, so that their windows
    stay stale and the next complete run makes the rows again.
#}
{% macro leaves_out(stale) %}
    {%- if not execute -%}{{- return(false) -}}{%- endif -%}
    {%- set list = 'int_mlmon__stale_windows' if stale in mlmon.facts()
        else 'int_mlmon__stale_ends' if stale in mlmon.ends() else stale -%}
    {%- if 'model.mlmon.' ~ list not in selected_resources -%}{{- return(false) -}}{%- endif -%}
    {%- set made_of = [model.unique_id] -%}
    {%- for id in made_of -%}
        {%- for parent in graph.nodes[id].depends_on.nodes
            if parent.startswith('model.mlmon.') and parent not in made_of -%}
            {%- do made_of.append(parent) -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- for id in made_of
        if id not in selected_resources and graph.nodes[id].config.materialized != 'view' -%}
        {{- return(true) -}}
    {%- endfor -%}
    {{- return(false) -}}
{% endmacro %}
