{#
    The bin of x under the edges e_1 < e_2 < ... of a row of int_mlmon__slot_edges. Bins are (lower, upper]; a
    discrete column has one bin per edge value and one for everything else; the last one is for missing values.
#}
{% macro bin_of(x, edges, n_edges) %}
    {%- set below = mlmon.count_edges(x, ">", edges, 1, n_edges) -%}
    {%- set not_above = mlmon.count_edges(x, ">=", edges, 1, n_edges) -%}
    {{- return(
        "case when " ~ x ~ " is null then " ~ edges ~ ".n_edges + 1 + " ~ edges ~ ".n_below"
        ~ " when " ~ edges ~ ".is_discrete then case when " ~ not_above ~ " > " ~ below
        ~ " then " ~ below ~ " else " ~ edges ~ ".n_edges end"
        ~ " when " ~ x ~ " < " ~ edges ~ ".e_1 then 0"
        ~ " else " ~ below ~ " + " ~ edges ~ ".n_below end"
    ) -}}
{% endmacro %}

{#
    How many edges lie below x (or, with >=, not above it): a binary search as a tree of CASEs. Unused edges at
    the end are NULL and never exceeded.
#}
{% macro count_edges(x, operator, edges, first, last) %}
    {%- if first > last -%}{{- return(first - 1) -}}{%- endif -%}
    {%- set middle = (first + last) // 2 -%}
    {{- return(
        "case when " ~ x ~ " " ~ operator ~ " " ~ edges ~ ".e_" ~ middle
        ~ " then " ~ mlmon.count_edges(x, operator, edges, middle + 1, last)
        ~ " else " ~ mlmon.count_edges(x, operator, edges, first, middle - 1) ~ " end"
    ) -}}
{% endmacro %}
