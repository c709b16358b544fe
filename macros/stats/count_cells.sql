{#
    Cells are the fine grid on which the values of a column are counted where bins are too coarse, for ks and
    Wasserstein distances. They are cut at values of the reference (cell_edges of int_mlmon__bin_edges, among them
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

{# How many widths lie between two edges: more for scores and predictions of the whole monitor. #}
{% macro widths_between_edges(slot_number, segment_position) %}
    {%- set fine = [] -%}
    {%- for number, slot in mlmon.numbered_slots('numeric').items() if slot in ['prediction_value', 'score'] -%}
        {%- do fine.append(number) -%}
    {%- endfor -%}
    {{- return(
        "case when " ~ segment_position ~ " = 0 and " ~ slot_number ~ " in (" ~ fine | join(", ")
        ~ ") then 25 else 5 end" if fine else "5"
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

{#
    Rows per key, segment_position (0 = all), segment_value, slot_number and cell of the ranked columns of `rows` (a
    relation with the key, edge_set_number and the slots): n, n_finite, n_clamped (finite, but too far out to be
    summed), the sums of the standardised values, and the smallest and greatest value.
#}
{% macro count_cells(rows, key) %}
    {%- set segmented = mlmon.slot_counts()['segment'] > 0 -%}
    {%- set slots = {} -%}
    {%- for number, slot in mlmon.numbered_slots('numeric').items() if slot in mlmon.ranked_slots() -%}
        {%- do slots.update({number: slot}) -%}
    {%- endfor -%}
    {%- set double = mlmon.type_double() %}
    {%- if slots %}
    {%- set placed %}(
        select
            logged.*,
            edges.cell_edges,
            edges.center,
            edges.scale
        from (
            select
                logged.{{ key }},
                slots.segment_position,
                slots.slot_number,
                logged.edge_set_number * {{ mlmon.monitored_slots('numeric') | length + 1 }} + slots.slot_number
                    as edge_number,
                {%- if segmented %}
                case
                    when slots.segment_position = 0 then 'all'
                    else {{ mlmon.segment_at('slots.segment_position') }}
                end
                {%- else %}
                cast('all' as {{ dbt.type_string() }})
                {%- endif %} as segment_value,
                {{ mlmon.slot_value('slots.slot_number', slots) }} as x
            from {{ rows }} as logged
            cross join ({{ mlmon.slots_to_rank(slots) }}) as slots
            {{ mlmon.evaluated_once() }}
        ) as logged
        inner join {{ ref('mlmon', 'int_mlmon__slot_edges') }} as edges
            on logged.edge_number = edges.edge_number
        where logged.x is not null and edges.cell_edges is not null
        {{ mlmon.evaluated_once() }}
    )
    {%- endset %}
    select
        {{ key }},
        segment_position,
        segment_value,
        slot_number,
        cast(
            32 * n_reached + case
                when x = lower_edge then 0
                when step is null or not step > 1e-290 or x / 4 - lower_edge / 4 <= step then 1
                else least(widths, 1 + floor((x / 4 - lower_edge / 4) / step))
            end as bigint
        ) as cell,
        cast(count(*) as bigint) as n,
        cast(count(case when x - x = 0 then 1 end) as bigint) as n_finite,
        cast(count(case when x - x = 0 and z is null then 1 end) as bigint) as n_clamped,
        sum(z) as sum_z,
        sum(z * z) as sum_z2,
        min(x) as x_min,
        max(x) as x_max
    from (
        select
            cut.*,
            -- A quarter of a width, which no difference of two values is too great for.
            case
                when x - x = 0 then (upper_edge / 4 - lower_edge / 4) / widths
            end as step,
            {{ mlmon.standardise('case when x - x = 0 then x end', 'center', 'scale') }} as z
        from (
            select
                reached.*,
                {{ mlmon.list_at('cell_edges', 'n_reached') }} as lower_edge,
                {{ mlmon.list_at('cell_edges', '(n_reached + 1)') }} as upper_edge,
                {{ mlmon.widths_between_edges('slot_number', 'segment_position') }} as widths
            from {{ mlmon.reached_in_list(placed, 'x', 'cell_edges', mlmon.most_cell_edges()) }} as reached
            {{ mlmon.evaluated_once() }}
        ) as cut
        {{ mlmon.evaluated_once() }}
    ) as cells
    group by 1, 2, 3, 4, 5
    {%- else %}
    select
        {{ key }},
        0 as segment_position,
        cast('all' as {{ dbt.type_string() }}) as segment_value,
        0 as slot_number,
        cast(0 as bigint) as cell,
        cast(0 as bigint) as n,
        cast(0 as bigint) as n_finite,
        cast(0 as bigint) as n_clamped,
        cast(null as {{ double }}) as sum_z,
        cast(null as {{ double }}) as sum_z2,
        cast(null as {{ double }}) as x_min,
        cast(null as {{ double }}) as x_max
    from {{ rows }}
    where false
    {%- endif %}
{% endmacro %}

{# The list that every row meets when its ranked columns are placed: all of them whole, some by segment, too. #}
{% macro slots_to_rank(slots) %}
    {%- set ranked = mlmon.ranked_slots() -%}
    {%- set rows = [] -%}
    {%- for number, slot in slots.items() -%}
        {%- for position in range(0, mlmon.slot_counts()['segment'] + 1) if position == 0 or ranked[slot] -%}
            {%- do rows.append({'segment_position': position, 'slot_number': number}) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{- return(mlmon.settings_relation(
        {'segment_position': 'bigint', 'slot_number': 'bigint'}, rows
    )) -}}
{% endmacro %}
