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
        {{ mlmon.qualified('comparisons', mlmon.comparison_keys()) }},
        comparisons.cell,
        ranked.position,
        sum(case when comparisons.is_reference then ranked.n else 0 end) as n_reference,
        sum(case when comparisons.is_reference then 0 else ranked.n end) as n_current,
        max(comparisons.reference_before) as reference_before,
        max(comparisons.current_before) as current_before,
        max(comparisons.reference_total) as reference_total,
        max(comparisons.current_total) as current_total
    from comparisons
    inner join {{ ref('int_mlmon__ranked_positions') }} as ranked
        on
            comparisons.source_key = ranked.source_key
            and comparisons.segment_position = ranked.segment_position
            and comparisons.segment_value = ranked.segment_value
            and comparisons.slot_number = ranked.slot_number
            and comparisons.cell = ranked.cell
    group by
        {{ mlmon.qualified('comparisons', mlmon.comparison_keys()) }},
        comparisons.cell,
        ranked.position
),

distances as (
    select
        {{ keys }},
        n_reference,
        n_current,
        abs(
            cast(
                reference_before + sum(n_reference) over (
                    partition by {{ keys }}, cell order by position
                ) as {{ mlmon.type_double() }}
            ) / reference_total
            - cast(
                current_before + sum(n_current) over (
                    partition by {{ keys }}, cell order by position
                ) as {{ mlmon.type_double() }}
            ) / current_total
        ) as distance
    from positions
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
