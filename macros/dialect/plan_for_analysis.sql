{#
    Settings for the transaction that builds one of our models. Postgres estimates a join of two fresh aggregates
    at one row and loops over them, which is quadratic: here every join is of sets, so it is told to hash. For the
    same reason it sorts millions of rows to aggregate what it takes for four; it is told to hash those, too.
    A pre-hook of our models; nothing outlives the transaction.
#}
{% macro plan_for_analysis() %}
    {{- return(adapter.dispatch('plan_for_analysis', 'mlmon')()) -}}
{% endmacro %}

{% macro default__plan_for_analysis() %}{{- return('') -}}{% endmacro %}

{% macro postgres__plan_for_analysis() %}
    {%- if model.config.materialized != 'view' -%}
        {{- return(
            "set local enable_nestloop = off; set local enable_sort = off; set local jit = off"
        ) -}}
    {%- endif -%}
    {{- return('') -}}
{% endmacro %}

{% macro redshift__plan_for_analysis() %}{{- return('') -}}{% endmacro %}
