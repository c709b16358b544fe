-- One row per touched window end at its verdict span, segment and ranked column: the Kolmogorov-Smirnov statistic, and
-- how many of the values had to be read for it. Where the log no longer has all of them the statistic is that of the
-- cells' ends (ks_is_exact false), which is at most a cell's share too small.
{%- set keys = mlmon.comparison_keys() | join(', ') %}

with

cells as (
    select * from {{ ref('int_mlmon__compared_cells') }}
),

comparisons as (
    select * from {{ ref('int_mlmon__rank_comparisons') }}
    where may_hold_supremum
),

positions as (
    select
        comparisons.cell_number,
        ranked.position,
        sum(case when comparisons.is_reference then ranked.n else 0 end) as n_reference,
        sum(case when comparisons.is_reference then 0 else ranked.n end) as n_current
    from comparisons
    inner join {{ ref('int_mlmon__ranked_positions') }} as ranked
        on
            comparisons.source_number = ranked.source_number
            and comparisons.place_number = ranked.place_number
    group by comparisons.cell_number, ranked.position
),

cumulated as (
    select
        cell_number,
        n_reference,
        n_current,
        sum(n_reference) over (partition by cell_number order by position)
            as reference_through,
        sum(n_current) over (partition by cell_number order by position) as current_through
    from positions
),

distances as (
    select
        {{ mlmon.qualified('cells', mlmon.comparison_keys()) }},
        cumulated.n_reference,
        cumulated.n_current,
        abs(
            cast(
                cells.reference_before + cumulated.reference_through
                as {{ mlmon.type_double() }}
            ) / cells.reference_total
            - cast(
                cells.current_before + cumulated.current_through as {{ mlmon.type_double() }}
            ) / cells.current_total
        ) as distance
    from cumulated
    inner join cells
        on cumulated.cell_number = cells.cell_number
),

read_values as (
    select
        {{ keys }},
        max(distance) as distance,
        sum(n_reference) as n_reference,
        sum(n_current) as n_current
    from distances
    group by {{ keys }}
),

expected as (
    select
        {{ keys }},
        max(best_distance) as best_distance,
        max(reference_total) as n_reference,
        max(current_total) as n_current,
        sum(case when may_hold_supremum then n_reference else 0 end) as n_reference_to_read,
        sum(case when may_hold_supremum then n_current else 0 end) as n_current_to_read,
        sum(case when is_read then n_reference + n_current else 0 end) as n_to_read
    from cells
    group by {{ keys }}
)

select
    expected.window_key,
    expected.span_windows,
    expected.segment_name,
    expected.segment_value,
    expected.column_name,
    expected.n_reference,
    expected.n_current,
    coalesce(read_values.n_reference, 0) = expected.n_reference_to_read
    and coalesce(read_values.n_current, 0) = expected.n_current_to_read as ks_is_exact,
    case
        when
            coalesce(read_values.n_reference, 0) = expected.n_reference_to_read
            and coalesce(read_values.n_current, 0) = expected.n_current_to_read
            then greatest(expected.best_distance, coalesce(read_values.distance, 0))
        else expected.best_distance
    end as ks,
    cast(expected.n_to_read as {{ mlmon.type_double() }})
    / (expected.n_reference + expected.n_current) as read_share
from expected
left join read_values
    on {{ mlmon.same_comparison('expected', 'read_values') }}
