{#
    Ends a subquery whose columns several expressions use, so that each is computed once a row: PostgreSQL and DuckDB
    else write their expressions into every place that names them, and compute them there. DuckDB does so where groups
    are counted over a join; a cell is found in seven steps that each name the step before three times, which
    would be computed thousands of times a value (docs/decisions/09-planner.md).
#}
{% macro evaluated_once() %}
    {{- return(adapter.dispatch('evaluated_once', 'mlmon')()) -}}
{% endmacro %}

{% macro default__evaluated_once() %}{{- return('') -}}{% endmacro %}

{% macro duckdb__evaluated_once() %}{{- return('offset 0') -}}{% endmacro %}

{% macro postgres__evaluated_once() %}{{- return('offset 0') -}}{% endmacro %}

{% macro redshift__evaluated_once() %}{{- return('') -}}{% endmacro %}
