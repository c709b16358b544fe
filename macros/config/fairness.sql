{# One row per monitor and segment whose groups are compared. #}
{% macro fairness_settings() %}
    {%- set rows = [] -%}
    {%- for m in mlmon.monitors() if m.labels is not none -%}
        {%- for name in m.fairness | unique -%}
            {%- do rows.append({'monitor': m.name, 'segment_name': name}) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{- return(mlmon.settings_relation({'monitor': 'text', 'segment_name': 'text'}, rows)) -}}
{% endmacro %}
