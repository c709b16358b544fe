{#
    Settings for the transaction that builds one of our models. Postgres estimates a join of two fresh aggregates
    at one row and loops over them, which is quadratic: here every join is of sets, so it is told to hash.
    A pre-hook of our models; nothing outlives the transaction.
#}
{% macro plan_for_analysis() %}
    {{- return(adapter.dispatch('plan_for_analysis', 'mlmon')()) -}}
{% endmacro %}

{% macro default__plan_for_analysis() %}{{- return('') -}}{% endmacro %}

{% macro postgres__plan_for_analysis() %}
    {{- return('' if model.config.materialized == 'view' else 'set local enable_nestloop = off; set local jit = off') -}}
{% endmacro %}

{% macro redshift__plan_for_analysis() %}{{- return('') -}}{% endmacro %}
