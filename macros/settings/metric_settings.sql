{# One row per monitor and metric whose degradation is judged: the primary metric and the declared others. #}
{% macro judged_metric_settings() %}
    {%- set rows = [] -%}
    {%- for m in mlmon.monitors() if m.labels is not none -%}
        {%- for metric in ([m.primary_metric] + m.metrics) | unique -%}
            {%- do rows.append({
                'monitor': m.name, 'metric': metric,
            }) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{- return(mlmon.settings_relation(
        {'monitor': 'text', 'metric': 'text'}, rows
    )) -}}
{% endmacro %}
