{#
    Cells are the fine grid on which ranks are compared: each interval between two edges of a column's bins cut into
    as many equal widths. A cell's number grows with the value, so counts of cells bound the distribution
    functions closely, and only the values of a few cells must be read to know their largest distance.
#}
{% macro cells_a_bin() %}{{- return(200) -}}{% endmacro %}

{# The numeric slots that any monitor compares by rank, by the most edges of their columns. #}
{% macro ranked_slots_by_edges() %}
    {%- set ranked = mlmon.ranked_slots() -%}
    {%- set slots_by_edges = {} -%}
    {%- for n_edges, slots in mlmon.numeric_slots_by_edges().items() -%}
        {%- for number, slot in slots.items() if slot in ranked -%}
            {%- do slots_by_edges.setdefault(n_edges, {}).update({number: slot}) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{- return(slots_by_edges) -}}
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
    One row per row of `rows` and ranked column with a value: the key, segment_position (0 = all), segment_value,
    slot_number, x and cell. `rows` has the key, edge_set_number and the slots.
#}
{% macro cells_of_rows(rows, key) %}
    {%- set segmented = mlmon.slot_counts()['segment'] > 0 -%}
    {%- set n_cells = mlmon.cells_a_bin() -%}
    {%- for n_edges, slots in mlmon.ranked_slots_by_edges().items() %}
    {%- if not loop.first %}

    union all
    {% endif %}
    select
        placed.{{ key }},
        placed.segment_position,
        {{ "placed.segment_value" if segmented else "cast('all' as " ~ dbt.type_string() ~ ")" }}
            as segment_value,
        placed.slot_number,
        placed.x,
        placed.n_edges_below * {{ n_cells }}
        + case
            when cells.step is null or not placed.x > cells.lower_edge then 0
            when not placed.x < cells.upper_edge then {{ n_cells - 1 }}
            when placed.x / 4 - cells.lower_edge / 4 <= cells.step then 0
            else
                least(
                    {{ n_cells - 1 }},
                    floor((placed.x / 4 - cells.lower_edge / 4) / cells.step)
                )
        end as cell
    from (
        select
            logged.*,
            {{ mlmon.count_edges('logged.x', '>', 'edges', 1, n_edges) }} as n_edges_below
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
                end as segment_value,
                {%- endif %}
                {{ mlmon.slot_value('slots.slot_number', slots) }} as x
            from {{ rows }} as logged
            cross join ({{ mlmon.slots_to_rank(slots) }}) as slots
            {{ mlmon.evaluated_once() }}
        ) as logged
        inner join {{ ref('mlmon', 'int_mlmon__slot_edges') }} as edges
            on logged.edge_number = edges.edge_number
        where logged.x is not null and edges.n_edges > 0
        {{ mlmon.evaluated_once() }}
    ) as placed
    inner join {{ ref('mlmon', 'int_mlmon__slot_cells') }} as cells
        on placed.edge_number * 128 + placed.n_edges_below = cells.interval_number
    {%- else %}
    select
        {{ key }},
        0 as segment_position,
        cast('all' as {{ dbt.type_string() }}) as segment_value,
        0 as slot_number,
        cast(null as {{ mlmon.type_double() }}) as x,
        cast(0 as bigint) as cell
    from {{ rows }}
    where false
    {%- endfor %}
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

{# Rows per key, segment, ranked column and cell, with the cell's smallest and greatest value there. #}
{% macro count_cells(rows, key) %}
    select
        {{ key }},
        segment_position,
        segment_value,
        slot_number,
        cast(cell as bigint) as cell,
        cast(count(*) as bigint) as n,
        min(x) as x_min,
        max(x) as x_max
    from ({{ mlmon.cells_of_rows(rows, key) }}) as cells
    group by {{ key }}, segment_position, segment_value, slot_number, cell
{% endmacro %}

{# The names of counted cells: monitor, segment_name and column_name in place of numbers. #}
{% macro name_cells(counted, key, keyed, columns) %}
    select
        {% for column in columns %}{{ column }},
        {% endfor -%}
        coalesce(segments.segment_name, 'all') as segment_name,
        counted.segment_value,
        columns.column_name,
        counted.cell,
        {% for column in ['n', 'x_min', 'x_max'] -%}
        counted.{{ column }}{{ ',' if not loop.last }}
        {% endfor -%}
    from {{ counted }} as counted
    inner join {{ keyed }} as keyed
        on counted.{{ key }} = keyed.{{ key }}
    inner join {{ ref('mlmon', 'int_mlmon__column_settings') }} as columns
        on
            keyed.monitor = columns.monitor
            and counted.slot_number = columns.slot_number
            and columns.is_ranked
    left join ({{ mlmon.segment_settings() }}) as segments
        on
            keyed.monitor = segments.monitor
            and counted.segment_position = segments.segment_position
    where
        counted.segment_position = 0
        or (segments.segment_name is not null and columns.is_ranked_by_segment)
{% endmacro %}
