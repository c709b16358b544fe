{# All values of a group as one text, in the given order. #}
{% macro concatenate(expression, order_by) %}
    {{- return(adapter.dispatch('concatenate', 'mlmon')(expression, order_by)) -}}
{% endmacro %}

{% macro default__concatenate(expression, order_by) %}
    {{- return("string_agg(" ~ expression ~ ", ',' order by " ~ order_by ~ ")") -}}
{% endmacro %}

{% macro snowflake__concatenate(expression, order_by) %}
    {{- return("listagg(" ~ expression ~ ", ',') within group (order by " ~ order_by ~ ")") -}}
{% endmacro %}
