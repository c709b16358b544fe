{# Orders text by its bytes, whatever the warehouse's collation. #}
{% macro byte_order(expression) %}
    {{- return(adapter.dispatch('byte_order', 'mlmon')(expression)) -}}
{% endmacro %}

{% macro default__byte_order(expression) %}{{- return(expression) -}}{% endmacro %}

{% macro postgres__byte_order(expression) %}{{- return(expression ~ ' collate "C"') -}}{% endmacro %}
