{# The values of x in order, as one list: an aggregate. #}
{% macro list_of(x) %}{{- return(adapter.dispatch('list_of', 'mlmon')(x)) -}}{% endmacro %}

{% macro default__list_of(x) %}{{- return("array_agg(" ~ x ~ " order by " ~ x ~ ")") -}}{% endmacro %}

{% macro duckdb__list_of(x) %}{{- return("list(" ~ x ~ " order by " ~ x ~ ")") -}}{% endmacro %}

{% macro spark__list_of(x) %}{{- return("sort_array(collect_list(" ~ x ~ "))") -}}{% endmacro %}

{% macro snowflake__list_of(x) %}
    {{- return("array_agg(" ~ x ~ ") within group (order by " ~ x ~ ")") -}}
{% endmacro %}

{% macro redshift__list_of(x) %}
    {{- return("json_parse('[' || listagg(" ~ x ~ ", ',') within group (order by " ~ x ~ ") || ']')") -}}
{% endmacro %}

{# The i-th value of a list, the first being 1; NULL where there is none. #}
{% macro list_at(list, i) %}{{- return(adapter.dispatch('list_at', 'mlmon')(list, i)) -}}{% endmacro %}

{% macro default__list_at(list, i) %}{{- return(list ~ "[" ~ i ~ "]") -}}{% endmacro %}

{% macro spark__list_at(list, i) %}{{- return("get(" ~ list ~ ", " ~ i ~ " - 1)") -}}{% endmacro %}

{% macro snowflake__list_at(list, i) %}
    {{- return("cast(get(" ~ list ~ ", " ~ i ~ " - 1) as double)") -}}
{% endmacro %}

{% macro bigquery__list_at(list, i) %}{{- return(list ~ "[safe_ordinal(" ~ i ~ ")]") -}}{% endmacro %}

{% macro redshift__list_at(list, i) %}
    {{- return("cast(" ~ list ~ "[" ~ i ~ " - 1] as double precision)") -}}
{% endmacro %}

{% macro trino__list_at(list, i) %}
    {{- return("element_at(" ~ list ~ ", nullif(" ~ i ~ ", 0))") -}}
{% endmacro %}

{#
    `relation` with n_reached: how many values of its ascending list `list` are not above its column x. A binary search
    in as many steps as a list of `most` values needs.
#}
{% macro reached_in_list(relation, x, list, most) %}
    {{- return(adapter.dispatch('reached_in_list', 'mlmon')(relation, x, list, most)) -}}
{% endmacro %}

{% macro default__reached_in_list(relation, x, list, most) %}
    {%- set steps = [1] -%}
    {%- for _ in range(20) if steps[0] * 2 <= most -%}
        {%- do steps.insert(0, steps[0] * 2) -%}
    {%- endfor -%}
    {%- set found = {'sql': "(select relation.*, 0 as n_reached_0 from " ~ relation ~ " as relation)"} -%}
    {%- for step in steps -%}
        {%- set before = "n_reached_" ~ loop.index0 -%}
        {%- set after = "n_reached" if loop.last else "n_reached_" ~ loop.index -%}
        {%- do found.update({
            'sql': "(select step_" ~ loop.index ~ ".*, case when " ~ x ~ " >= "
            ~ mlmon.list_at(list, "(" ~ before ~ " + " ~ step ~ ")") ~ " then " ~ before ~ " + " ~ step
            ~ " else " ~ before ~ " end as " ~ after ~ " from " ~ found.sql ~ " as step_" ~ loop.index ~ ")"
        }) -%}
    {%- endfor -%}
    {{- return(found.sql) -}}
{% endmacro %}

{% macro postgres__reached_in_list(relation, x, list, most) %}
    {{- return(
        "(select relation.*, width_bucket(" ~ x ~ ", " ~ list ~ ") as n_reached from " ~ relation
        ~ " as relation offset 0)"
    ) -}}
{% endmacro %}

{# Redshift is no Postgres here. #}
{% macro redshift__reached_in_list(relation, x, list, most) %}
    {{- return(mlmon.default__reached_in_list(relation, x, list, most)) -}}
{% endmacro %}
