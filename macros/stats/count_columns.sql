{#
    Counts the rows of `rows` per key, segment, monitored column, bin and cell (macros/stats/cells.sql of ranked columns,
    macros/stats/buckets.sql of those with rare categories; else NULL): key, segment_position, segment_value, slot, bin_index, cell, n, n_missing, and for numeric columns n_finite, n_clamped, sum_z, sum_z2, x_min, x_max over
    the finite values, n_zeros and failed_counts(). All numeric columns are read together once, and all
    categorical ones once: each row meets a small list of columns and gives its value of each.

    rows: a relation with the key, edge_set_number and the slots
    key: the column that groups rows (a window or a reference)
    keyed_references: a relation of (key, monitor, reference_key); the reference decides the bins
#}
{% macro count_columns(rows, key, keyed_references) %}
    {%- set branches = [] -%}
    {%- for n_edges, slots in mlmon.numeric_slots_by_edges().items() -%}
        {%- do branches.append(mlmon.count_numeric_bins(rows, key, slots, n_edges)) -%}
    {%- endfor -%}
    {%- set slots = mlmon.numbered_slots('categorical') -%}
    {%- if slots -%}
        {%- do branches.append(mlmon.count_category_bins(rows, key, keyed_references, slots)) -%}
    {%- endif -%}
    {%- if branches -%}
        {{- return(branches | join("\n\n    union all\n")) -}}
    {%- endif -%}
    {%- set text = dbt.type_string() -%}
    {%- set double = mlmon.type_double() -%}
    {{- return(
        "select " ~ key ~ ", 1 as segment_position, cast(null as " ~ text ~ ") as segment_value,"
        ~ " cast(null as " ~ text ~ ") as slot, cast(0 as bigint) as bin_index,"
        ~ " cast(null as bigint) as cell,"
        ~ " cast(0 as bigint) as n, cast(0 as bigint) as n_missing,"
        ~ " cast(0 as bigint) as n_finite, cast(0 as bigint) as n_clamped,"
        ~ " cast(0 as " ~ double ~ ") as sum_z, cast(0 as " ~ double ~ ") as sum_z2,"
        ~ " cast(0 as " ~ double ~ ") as x_min, cast(0 as " ~ double ~ ") as x_max,"
        ~ " cast(0 as bigint) as n_zeros, cast(0 as bigint) as "
        ~ mlmon.failed_counts() | join(", cast(0 as bigint) as ")
        ~ " from " ~ keyed_references ~ " where false"
    ) -}}
{% endmacro %}

{# The counts of values that are not what they should be, beside the bins. #}
{% macro failed_counts() %}
    {{- return([
        'n_out_of_range', 'n_outliers', 'n_beyond_reference', 'n_nan', 'n_unparsable',
    ]) -}}
{% endmacro %}

{# What the checks of a column hold against the reference's share of it; NULL where the column has no such check. #}
{% macro checked_counts() %}
    {{- return(['n_missing', 'n_infinite'] + mlmon.failed_counts() + ['n_wrong_sums']) -}}
{% endmacro %}

{% macro count_numeric_bins(rows, key, slots, n_edges) %}
    {%- set segmented = mlmon.slot_counts()['segment'] > 0 %}
    {#- In the first of the segment columns every row is counted, and the whole monitor is added up from it. #}
    {%- set ranked, ranked_by_segment = [], [0] %}
    {%- for number, slot in slots.items() if slot in mlmon.ranked_slots() %}
        {%- do ranked.append(number) %}
        {%- if mlmon.ranked_slots()[slot] %}{% do ranked_by_segment.append(number) %}{% endif %}
    {%- endfor %}
    {%- set placed = mlmon.placed_in_bins(rows, key, slots, n_edges) %}
    select
        {{ key }},
        segment_position,
        {{ "segment_value" if segmented else "cast(null as " ~ dbt.type_string() ~ ")" }}
            as segment_value,
        {{ mlmon.slot_name('slot_number', slots) }} as slot,
        cast(bin_index as bigint) as bin_index,
        cast(cell as bigint) as cell,
        cast(count(*) as bigint) as n,
        cast(count(*) - count(x) as bigint) as n_missing,
        cast(count(finite_x) as bigint) as n_finite,
        cast(count(finite_x) - count(z) as bigint) as n_clamped,
        sum(z) as sum_z,
        sum(z * z) as sum_z2,
        min(finite_x) as x_min,
        max(finite_x) as x_max,
        cast(count(case when x = 0 then 1 end) as bigint) as n_zeros,
        {%- if mlmon.declares_ranges() %}
        cast(count(case when x < declared_min or x > declared_max then 1 end) as bigint)
            as n_out_of_range
        {%- else %}
        cast(0 as bigint) as n_out_of_range
        {%- endif %},
        cast(count(case when x < inner_low or x > inner_high then 1 end) as bigint)
            as n_outliers,
        cast(count(case when x < outer_low or x > outer_high then 1 end) as bigint)
            as n_beyond_reference,
        cast(count(case when instead = 'NaN' then 1 end) as bigint) as n_nan,
        cast(count(case when instead <> 'NaN' then 1 end) as bigint) as n_unparsable
    from (
        select
            binned.*,
            {{ mlmon.standardise('finite_x', 'center', 'scale') }} as z,
            {% if ranked -%}
            case
                when
                    x is not null and cell_edges is not null
                    and slot_number in ({{ ranked | join(', ') }})
                    and (segment_position = 1 or slot_number in ({{ ranked_by_segment | join(', ') }}))
                    then {{ mlmon.cell_of('x', 'lower_edge', 'step', 'widths') }}
            end as cell
        from (
            select
                cut.*,
                -- A quarter of a width, where there is one.
                case
                    when x - x = 0 and upper_edge / 4 - lower_edge / 4 > 1e-288
                        then (upper_edge / 4 - lower_edge / 4) / widths
                end as step
            from (
                select
                    reached.*,
                    {{ mlmon.list_at('cell_edges', 'n_reached') }} as lower_edge,
                    {{ mlmon.list_at('cell_edges', '(n_reached + 1)') }} as upper_edge,
                    {{ mlmon.widths_between_edges('slot_number') }} as widths
                from {{ mlmon.reached_in_list(placed, 'x', 'cell_edges', mlmon.most_cell_edges()) }} as reached
                {{ mlmon.evaluated_once() }}
            ) as cut
            {{ mlmon.evaluated_once() }}
        ) as binned
        {%- else -%}
            cast(null as bigint) as cell
        from {{ placed }} as binned
        {%- endif %}
        {{ mlmon.evaluated_once() }}
    ) as standardised
    group by
        {{ key }}, segment_position, {{ "segment_value, " if segmented }}slot_number, bin_index,
        cell
{% endmacro %}

{# The rows' values of their numeric slots, one below the other, with the bin of each and what else is known of its column. #}
{% macro placed_in_bins(rows, key, slots, n_edges) %}
    {%- set segmented = mlmon.slot_counts()['segment'] > 0 %}
    (
        select
            logged.{{ key }},
            logged.segment_position,
            {{ "logged.segment_value," if segmented }}
            logged.slot_number,
            logged.x,
            case when logged.x - logged.x = 0 then logged.x end as finite_x,
            {{ mlmon.bin_of('logged.x', 'edges', n_edges) }} as bin_index,
            edges.center,
            edges.scale,
            edges.declared_min,
            edges.declared_max,
            edges.inner_low,
            edges.inner_high,
            edges.outer_low,
            edges.outer_high,
            -- Handed on as it is: DuckDB would copy the list for every row of a CASE.
            edges.cell_edges,
            case
                when logged.x is null and logged.unusable_values is not null
                    then {{ mlmon.unusable_value(
                        'logged.unusable_values', mlmon.slot_name('logged.slot_number', slots)
                    ) }}
            end as instead
        from (
            select
                logged.{{ key }},
                slots.segment_position,
                slots.slot_number,
                logged.unusable_values,
                logged.edge_set_number * {{ mlmon.monitored_slots('numeric') | length + 1 }} + slots.slot_number
                    as edge_number,
                {{ mlmon.segment_at('slots.segment_position') ~ " as segment_value," if segmented }}
                {{ mlmon.slot_value('slots.slot_number', slots) }} as x
            from {{ rows }} as logged
            cross join ({{ mlmon.slots_to_count(slots) }}) as slots
            {{ mlmon.evaluated_once() }}
        ) as logged
        inner join {{ ref('mlmon', 'int_mlmon__slot_edges') }} as edges
            on logged.edge_number = edges.edge_number
        {{ mlmon.evaluated_once() }}
    )
{% endmacro %}

{# Categories are counted first and looked up after: far fewer rows to compare. #}
{% macro count_category_bins(rows, key, keyed_references, slots) %}
    {%- set double = mlmon.type_double() %}
    select
        counted.{{ key }},
        counted.segment_position,
        counted.segment_value,
        counted.slot,
        cast(
            case
                when counted.category is null then coalesce(totals.n_own_bins, 0) + 2
                when known.category is null then coalesce(totals.n_own_bins, 0) + 1
                when known.has_own_bin then known.category_rank
                else totals.n_own_bins
            end as bigint
        ) as bin_index,
        cast(
            case when totals.has_rare then {{ mlmon.category_cell('counted.category') }} end as bigint
        ) as cell,
        cast(sum(counted.n) as bigint) as n,
        cast(sum(case when counted.category is null then counted.n else 0 end) as bigint)
            as n_missing,
        cast(0 as bigint) as n_finite,
        cast(0 as bigint) as n_clamped,
        cast(null as {{ double }}) as sum_z,
        cast(null as {{ double }}) as sum_z2,
        cast(null as {{ double }}) as x_min,
        cast(null as {{ double }}) as x_max,
        cast(null as bigint) as n_zeros
        {%- for count in mlmon.failed_counts() %},
        cast(0 as bigint) as {{ count }}
        {%- endfor %}
    from (
        select
            {{ key }},
            segment_position,
            segment_value,
            {{ mlmon.slot_name('slot_number', slots) }} as slot,
            category,
            count(*) as n
        from (
            select
                logged.{{ key }},
                slots.segment_position,
                slots.slot_number,
                {{ mlmon.segment_at('slots.segment_position') }} as segment_value,
                {{ mlmon.slot_value('slots.slot_number', slots) }} as category
            from {{ rows }} as logged
            cross join ({{ mlmon.slots_to_count(slots) }}) as slots
            {{ mlmon.evaluated_once() }}
        ) as logged
        group by {{ key }}, segment_position, segment_value, slot_number, category
    ) as counted
    inner join {{ keyed_references }} as keyed
        on counted.{{ key }} = keyed.{{ key }}
    inner join {{ ref('mlmon', 'int_mlmon__column_settings') }} as columns
        on
            keyed.monitor = columns.monitor
            and counted.slot = columns.slot
    left join {{ ref('mlmon', 'int_mlmon__reference_categories') }} as known
        on
            keyed.reference_key = known.reference_key
            and columns.column_name = known.column_name
            and counted.category = known.category
            and not known.is_segment
    left join (
        select
            reference_key,
            column_name,
            sum(case when has_own_bin then 1 else 0 end) as n_own_bins,
            -- It saw some category but once: there will be others that it did not see at all.
            min(n) = 1 as has_rare
        from {{ ref('mlmon', 'int_mlmon__reference_categories') }}
        where not is_segment
        group by reference_key, column_name
    ) as totals
        on
            keyed.reference_key = totals.reference_key
            and columns.column_name = totals.column_name
    group by 1, 2, 3, 4, 5, 6
{% endmacro %}
