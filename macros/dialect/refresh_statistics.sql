{#
    Tells the planner how large a freshly built table is, where the warehouse does not know by itself: Postgres
    waits for its autovacuum, and until then joins new tables as if they were tiny. A post-hook of our models.
#}
{% macro refresh_statistics() %}
    {{- return(adapter.dispatch('refresh_statistics', 'mlmon')()) -}}
{% endmacro %}

{% macro default__refresh_statistics() %}{{- return('') -}}{% endmacro %}

{% macro postgres__refresh_statistics() %}
    {{- return('' if model.config.materialized == 'view' else 'analyze ' ~ this) -}}
{% endmacro %}

{% macro redshift__refresh_statistics() %}{{- return('') -}}{% endmacro %}
