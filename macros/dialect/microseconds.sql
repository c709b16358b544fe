{# Microseconds since 1970-01-01 of a timestamp without zone: exact, as bigint. #}
{% macro microseconds(expression) %}
    {{- return(adapter.dispatch('microseconds', 'mlmon')(expression)) -}}
{% endmacro %}

{% macro default__microseconds(expression) %}
    {{- return("cast(extract(epoch from " ~ expression ~ ") * 1000000 as bigint)") -}}
{% endmacro %}

{% macro duckdb__microseconds(expression) %}
    {{- return("epoch_us(" ~ expression ~ ")") -}}
{% endmacro %}

{% macro spark__microseconds(expression) %}
    {{- return("unix_micros(" ~ expression ~ ")") -}}
{% endmacro %}
