{#
    Keeps a CTE that is used more than once from being stored: over a whole log that costs more memory than
    reading the few columns each use needs. Written after `as`, nothing where the warehouse inlines anyway.
#}
{% macro inlined() %}
    {{- return(adapter.dispatch('inlined', 'mlmon')()) -}}
{% endmacro %}

{% macro default__inlined() %}{{- return('') -}}{% endmacro %}

{% macro duckdb__inlined() %}{{- return('not materialized') -}}{% endmacro %}

{% macro postgres__inlined() %}{{- return('not materialized') -}}{% endmacro %}

{% macro redshift__inlined() %}{{- return('') -}}{% endmacro %}
