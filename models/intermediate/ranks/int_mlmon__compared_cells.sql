-- One row per touched window end at its verdict span, segment, ranked column and cell that matters: the two
-- distribution functions at the cell's ends, and whether their largest distance may lie inside it. A cell where
-- one side's values all lie below the other's needs no reading: what is reached inside is known.
with

both_sides as (
    select * from {{ ref('int_mlmon__cell_comparison') }}
),

cumulated as (
    select
        both_sides.*,
        sum(n_reference) over {{ mlmon.ranked_partition('order by cell') }} as reference_through,
        sum(n_current) over {{ mlmon.ranked_partition('order by cell') }} as current_through,
        sum(n_reference) over {{ mlmon.ranked_partition() }} as reference_total,
        sum(n_current) over {{ mlmon.ranked_partition() }} as current_total
    from both_sides
),

bounded as (
    select
        cumulated.*,
        cast(reference_through - n_reference as {{ mlmon.type_double() }}) / reference_total
            as f_before,
        cast(reference_through as {{ mlmon.type_double() }}) / reference_total as f_after,
        cast(current_through - n_current as {{ mlmon.type_double() }}) / current_total
            as g_before,
        cast(current_through as {{ mlmon.type_double() }}) / current_total as g_after
    from cumulated
    where reference_total > 0 and current_total > 0
),

reached as (
    select
        bounded.*,
        greatest(f_after - g_before, g_after - f_before) as bound,
        greatest(
            abs(f_after - g_after),
            case
                when n_reference = 0 or n_current = 0 then 0
                when reference_max < current_min then abs(f_after - g_before)
                when current_max < reference_min then abs(g_after - f_before)
                else 0
            end
        ) as distance,
        n_reference > 0
        and n_current > 0
        and not reference_max < current_min
        and not current_max < reference_min
        and not (reference_min = reference_max and current_min = current_max) as is_mixed
    from bounded
),

ranked as (
    select
        reached.*,
        max(distance) over {{ mlmon.ranked_partition() }} as best_distance,
        row_number() over {{ mlmon.ranked_partition('order by distance desc, cell') }}
            as distance_rank
    from reached
),

chosen as (
    select
        ranked.*,
        is_mixed and bound > best_distance * (1 + 1e-13) as may_hold_supremum
    from ranked
)

select
    row_number() over (order by chosen.end_number, chosen.column_number, chosen.cell)
        as cell_number,
    dense_rank() over (order by chosen.column_number, chosen.cell) as place_number,
    ends.window_key,
    ends.span_windows,
    columns.segment_name,
    columns.segment_value,
    columns.column_name,
    chosen.cell,
    cast(chosen.n_reference as bigint) as n_reference,
    cast(chosen.n_current as bigint) as n_current,
    cast(chosen.reference_through - chosen.n_reference as bigint) as reference_before,
    cast(chosen.current_through - chosen.n_current as bigint) as current_before,
    cast(chosen.reference_total as bigint) as reference_total,
    cast(chosen.current_total as bigint) as current_total,
    chosen.best_distance,
    chosen.may_hold_supremum,
    columns.is_transported,
    chosen.may_hold_supremum or columns.is_transported as is_read
from chosen
inner join {{ ref('int_mlmon__ranked_ends') }} as ends
    on chosen.end_number = ends.end_number
inner join {{ ref('int_mlmon__ranked_columns') }} as columns
    on chosen.column_number = columns.column_number
where chosen.may_hold_supremum or chosen.distance_rank = 1 or columns.is_transported
