{#
    The bin of a number, as a binary search tree of CASEs over the edges e_1 < e_2 < ... e_n of a one-row-per-
    reference relation `edges` (unused edges at the end are NULL and never exceeded). Bins are (lower, upper].
    A discrete column has one bin per edge value and one for everything else. `x` must not be NULL.
#}
{% macro bin_tree(x, edges, n_edges, first=1, last=none) %}
    {%- set last = n_edges if last is none else last -%}
    {%- if first > last -%}
        {{- return(mlmon.bin_leaf(x, edges, n_edges, first - 1)) -}}
    {%- endif -%}
    {%- set middle = (first + last) // 2 -%}
    {{- return(
        "case when " ~ x ~ " > " ~ edges ~ ".e_" ~ middle
        ~ " then " ~ mlmon.bin_tree(x, edges, n_edges, middle + 1, last)
        ~ " else " ~ mlmon.bin_tree(x, edges, n_edges, first, middle - 1) ~ " end"
    ) -}}
{% endmacro %}

{# The bin of an x that lies above `below` edges, and not above the next one. #}
{% macro bin_leaf(x, edges, n_edges, below) %}
    {%- set interval = below ~ " + " ~ edges ~ ".n_below" -%}
    {%- if below == n_edges -%}
        {%- set discrete = edges ~ ".n_edges" -%}
    {%- else -%}
        {%- set is_next = x ~ " = " ~ edges ~ ".e_" ~ (below + 1) -%}
        {%- set discrete = "case when " ~ is_next ~ " then " ~ below ~ " else " ~ edges
            ~ ".n_edges end" -%}
        {%- if below == 0 -%}
            {%- set interval = "case when " ~ is_next ~ " then " ~ edges ~ ".n_below else 0 end" -%}
        {%- endif -%}
    {%- endif -%}
    {{- return(
        "case when " ~ edges ~ ".is_discrete then " ~ discrete ~ " else " ~ interval ~ " end"
    ) -}}
{% endmacro %}

{# The most edges that any monitor's column can have, per numeric slot in use. #}
{% macro edges_by_slot() %}
    {%- set edges = {} -%}
    {%- for m in mlmon.monitors() -%}
        {%- for column in m.monitored if column.kind == 'numeric' and column.role != 'label' -%}
            {%- do edges.update({
                column.slot: [edges.get(column.slot, 1), column.bins.k] | max
            }) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{- return(edges) -}}
{% endmacro %}
