{# The SQL of a mapped column: its expression, or its name, quoted where the user says so. #}
{% macro column_sql(column) %}
    {%- if column.expression is not none -%}{{- return("(" ~ column.expression ~ ")") -}}{%- endif -%}
    {%- if column.quote -%}
        {{- return(adapter.quote(column.name | replace('"', '""'))) -}}
    {%- endif -%}
    {{- return(column.name) -}}
{% endmacro %}
