{# A value of the configuration as a SQL text literal, quotes escaped. Most have nothing to escape, which is told faster. #}
{% macro text_literal(value) %}
    {%- set text = value | string -%}
    {%- if modules.re.search("[^\\w ,.:;/*(){}<>=+-]", text) is none -%}{{- return("'" ~ text ~ "'") -}}{%- endif -%}
    {{- return(dbt.string_literal(dbt.escape_single_quotes(text))) -}}
{% endmacro %}
