{# A 64-bit number, or NULL where the text is not one. `data_type` is the log column's type, or none. #}
{% macro try_double(expression, data_type=none) %}
    {%- set kind = (data_type or '') | lower -%}
    {%- if kind.startswith('bool') -%}
        {{- return("case when " ~ expression ~ " then 1.0 when not " ~ expression ~ " then 0.0 end") -}}
    {%- elif mlmon.is_number_type(kind) -%}
        {{- return("cast(" ~ expression ~ " as " ~ mlmon.type_double() ~ ")") -}}
    {%- endif -%}
    {{- return(adapter.dispatch('try_double', 'mlmon')(expression)) -}}
{% endmacro %}

{% macro default__try_double(expression) %}
    {{- return("try_cast(" ~ expression ~ " as " ~ mlmon.type_double() ~ ")") -}}
{% endmacro %}

{# Postgres before 16 has no way to ask whether a cast would fail: a regular expression decides. #}
{% macro postgres__try_double(expression) %}
    {%- set text = "trim(cast(" ~ expression ~ " as text))" -%}
    {%- set number = "'^[+-]?([0-9]{1,255}([.][0-9]*)?|[.][0-9]+)([eE][+-]?[0-9]{1,2})?$'" -%}
    {%- set special = "'^([+-]?(inf|infinity)|nan)$'" -%}
    {{- return(
        "case when " ~ text ~ " ~ " ~ number ~ " or " ~ text ~ " ~* " ~ special
        ~ " then cast(" ~ text ~ " as double precision) end"
    ) -}}
{% endmacro %}

{% macro bigquery__try_double(expression) %}
    {{- return("safe_cast(" ~ expression ~ " as float64)") -}}
{% endmacro %}
