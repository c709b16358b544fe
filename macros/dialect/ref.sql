{#
    dbt's own ref(), for the models of this package. With --empty dbt reads every table as a sub-query without rows, which
    on some warehouses needs an alias; dbt gives it one, and the alias that a model writes is then one too many.
#}
{% macro ref() %}
    {%- set relation = builtins.ref(*varargs, **kwargs) -%}
    {%- if flags.EMPTY and relation.limit is not none -%}
        {{- return(adapter.dispatch('without_rows', 'mlmon')(relation)) -}}
    {%- endif -%}
    {{- return(relation) -}}
{% endmacro %}

{% macro default__without_rows(relation) %}{{- return(relation) -}}{% endmacro %}

{# A join in parentheses may be followed by an alias or by none. #}
{% macro postgres__without_rows(relation) %}
    {{- return("(" ~ relation ~ " cross join (select) as nothing)") -}}
{% endmacro %}

{% macro redshift__without_rows(relation) %}{{- return(relation) -}}{% endmacro %}
