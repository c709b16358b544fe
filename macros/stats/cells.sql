{#
    Cells are the fine grid on which the values of a column are counted where bins are too coarse, for ks and
    Wasserstein distances; bins are groups of them. They are cut at values of the reference (cell_edges of int_mlmon__bin_edges, among them
    the edges of its bins): each of these values is a cell of its own, because many rows may share it, and what lies
    between two of them is cut into equal widths. What lies below the first or above the last is one cell each.
    A cell's number grows with the value: 32 times the edges that are not above it, plus 0 on the edge itself, or
    the number of the width from 1 on.
#}

{# The shares of a reference at which its values become edges of cells, in thousandths: its fortieths, and more of its ends. #}
{% macro is_cell_share(thousandths) %}
    {{- return(
        "(mod(" ~ thousandths ~ ", 25) = 0 or " ~ thousandths
        ~ " in (1, 2, 5, 10, 990, 995, 998, 999))"
    ) -}}
{% endmacro %}

{# So many different values all become edges. #}
{% macro most_values_as_edges() %}{{- return(60) -}}{% endmacro %}

{# The most edges that cells of any column can have: values of the reference, and edges of its bins. #}
{% macro most_cell_edges() %}
    {%- set bins = (mlmon.numeric_slots_by_edges().keys() | list + [10]) | max -%}
    {{- return(mlmon.most_values_as_edges() + bins) -}}
{% endmacro %}

{# How many widths lie between two edges: more for scores and predictions. #}
{% macro widths_between_edges(slot_number) %}
    {%- set fine = [] -%}
    {%- for number, slot in mlmon.numbered_slots('numeric').items() if slot in ['prediction_value', 'score'] -%}
        {%- do fine.append(number) -%}
    {%- endfor -%}
    {{- return(
        "case when " ~ slot_number ~ " in (" ~ fine | join(", ") ~ ") then 25 else 5 end" if fine else "5"
    ) -}}
{% endmacro %}

{#
    The cell of x among its column's cell_edges, of which n_reached are not above it; NULL where the column has none.
    step is a quarter of a width: the difference of two values can be too great for a double, that of their quarters not.
#}
{% macro cell_of(x, lower_edge, step, widths) %}
    {%- set offset = "(" ~ x ~ " / 4 - " ~ lower_edge ~ " / 4)" -%}
    {{- return(
        "32 * n_reached + case when " ~ x ~ " = " ~ lower_edge ~ " then 0"
        ~ " when " ~ step ~ " is null or " ~ offset ~ " <= " ~ step ~ " then 1"
        ~ " else least(" ~ widths ~ ", 1 + floor(" ~ offset ~ " / " ~ step ~ ")) end"
    ) -}}
{% endmacro %}

{# The cell of scores and predictions in a segment: five widths of the whole monitor's in one. #}
{% macro coarse_cell(cell, column_role) %}
    {%- set inside = "mod(" ~ cell ~ ", 32)" -%}
    {{- return(
        "case when " ~ column_role ~ " = 'feature' or " ~ inside ~ " = 0 then " ~ cell ~ " else " ~ cell ~ " - "
        ~ inside ~ " + 1 + (" ~ inside ~ " - 1 - mod(" ~ inside ~ " - 1, 5)) / 5 end"
    ) -}}
{% endmacro %}

{#
    Whether each numeric slot is ranked by segment, too: {slot: true}. Scores and predictions are, and the
    features whose rule says so.
#}
{% macro ranked_slots() %}
    {%- set slots = {} -%}
    {%- for m in mlmon.monitors() -%}
        {%- for column in m.monitored if column.kind == 'numeric' and column.role != 'label'
            and mlmon.is_ranked(column) -%}
            {%- do slots.update({
                column.slot: slots.get(column.slot, false) or mlmon.is_ranked_by_segment(column)
            }) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{- return(slots) -}}
{% endmacro %}

{% macro is_ranked(column) %}
    {{- return(
        'ks' in column.methods or 'wasserstein' in column.methods
        or 'wasserstein_normed' in column.methods
    ) -}}
{% endmacro %}

{% macro is_ranked_by_segment(column) %}
    {{- return(
        column.role != 'feature' or 'ks' in (column.rule or [])
        or 'wasserstein' in (column.rule or []) or 'wasserstein_normed' in (column.rule or [])
    ) -}}
{% endmacro %}
