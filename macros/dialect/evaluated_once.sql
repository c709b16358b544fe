{#
    Ends a subquery whose columns several expressions use, so that each is computed once a row: Postgres else writes
    their expressions into every place that names them, and computes them there. Nothing on other warehouses.
#}
{% macro evaluated_once() %}
    {{- return(adapter.dispatch('evaluated_once', 'mlmon')()) -}}
{% endmacro %}

{% macro default__evaluated_once() %}{{- return('') -}}{% endmacro %}

{% macro postgres__evaluated_once() %}{{- return('offset 0') -}}{% endmacro %}

{% macro redshift__evaluated_once() %}{{- return('') -}}{% endmacro %}
