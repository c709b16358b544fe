{# Remembers the settings each monitor was last searched with; a change makes the next run search all. #}
{% macro record_settings() %}
    {%- set processed = ref('mlmon', 'int_mlmon__processed_windows') -%}
    delete from {{ processed }} where model_name = '{{ model.name }}';
    insert into {{ processed }} (model_name, window_key, fingerprint)
    select '{{ model.name }}', monitor, settings_hash
    from {{ ref('mlmon', 'int_mlmon__log_bounds') }}
{% endmacro %}
