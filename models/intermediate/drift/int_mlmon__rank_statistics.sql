-- One row per stale window end, segment and ranked column, at the verdict span: the
-- Kolmogorov-Smirnov statistic, how many values had to be read for it, and, where the column uses
-- it, the first Wasserstein distance over all finite values, also divided by the reference's
-- standard deviation. fct_mlmon__drift judges them. Where the log no longer has all of the values,
-- the statistic is that of the cells' ends (ks_is_exact false), which is at most a cell's share too
-- small, and there is no distance.
{%- set keys = mlmon.comparison_keys() | join(', ') %}
{%- set of_comparison = "(partition by "
    ~ mlmon.qualified('cells', mlmon.comparison_keys()) ~ ")" %}
{%- set of_cell = ['cell_number', 'place_number', 'may_hold_supremum', 'is_transported'] %}

with

cells as (
    select * from {{ ref('int_mlmon__compared_cells') }}
),

cells_that_were_read as (
    select
        {{ mlmon.qualified('cells', of_cell) }},
        spans.monitor,
        spans.model_version,
        spans.reference_key,
        spans.first_index,
        spans.window_index,
        spans.compared_with,
        spans.compared_version,
        spans.compared_first_index,
        spans.compared_last_index
    from cells
    inner join {{ ref('int_mlmon__spans') }} as spans
        on
            cells.window_key = spans.window_key
            and cells.span_windows = spans.span_windows
    where cells.is_read
),

windows as (
    select * from {{ ref('int_mlmon__windows') }}
    where source = 'log' and n_predictions > 0
),

-- The sources whose values take part in a cell, on either side: base windows, or a reference that
-- does not move.
comparisons as (
    select
        {{ mlmon.qualified('cells', of_cell) }},
        windows.window_key as source_key,
        false as is_reference,
        false as is_fixed_reference
    from cells_that_were_read as cells
    inner join windows
        on
            cells.monitor = windows.monitor
            and cells.model_version = windows.model_version
            and windows.window_index between cells.first_index and cells.window_index

    union all

    select
        {{ mlmon.qualified('cells', of_cell) }},
        windows.window_key as source_key,
        true as is_reference,
        false as is_fixed_reference
    from cells_that_were_read as cells
    inner join windows
        on
            cells.monitor = windows.monitor
            and cells.compared_version = windows.model_version
            and windows.window_index
            between cells.compared_first_index and cells.compared_last_index

    union all

    select
        {{ mlmon.qualified('cells', of_cell) }},
        cells.reference_key as source_key,
        true as is_reference,
        true as is_fixed_reference
    from cells_that_were_read as cells
    where cells.compared_with = 'reference'
),

places_of_stretches as (
    select distinct
        comparisons.source_key,
        comparisons.place_number,
        reference_facts.monitor,
        reference_facts.first_index,
        reference_facts.last_index,
        reference_facts.logged_version
    from comparisons
    inner join {{ ref('int_mlmon__references') }} as reference_facts
        on comparisons.source_key = reference_facts.reference_key
    where comparisons.is_fixed_reference and reference_facts.reference_kind <> 'table'
),

moving_places as (
    select distinct place_number
    from comparisons
    where is_reference and not is_fixed_reference
),

-- A reference in the log has the values of its windows.
source_values as (
    select
        ranked_values.*,
        case
            when reference_facts.monitor is not null or moving.place_number is not null then 1
            else 0
        end as is_reference_value
    from {{ ref('int_mlmon__ranked_values') }} as ranked_values
    left join {{ ref('int_mlmon__references') }} as reference_facts
        on ranked_values.source_key = reference_facts.reference_key
    left join moving_places as moving
        on ranked_values.place_number = moving.place_number

    union all

    select
        places.source_key,
        places.place_number,
        ranked_values.x,
        cast(sum(ranked_values.n) as bigint) as n,
        1 as is_reference_value
    from places_of_stretches as places
    inner join windows
        on
            places.monitor = windows.monitor
            and windows.window_index between places.first_index and places.last_index
            and places.logged_version in ('all', windows.model_version)
    inner join {{ ref('int_mlmon__ranked_values') }} as ranked_values
        on
            places.place_number = ranked_values.place_number
            and windows.window_key = ranked_values.source_key
    group by places.source_key, places.place_number, ranked_values.x
),

-- The reference's values number the positions of a place (a cell of a column and segment, see
-- int_mlmon__compared_cells): the i-th has 2i - 1, and what lies between it and the next has 2i.
-- Values between the same two of the reference need not be told apart, because the reference's
-- distribution function is the same for all. Where references move, every value may belong to one
-- and has a number of its own.
numbered_values as (
    select
        source_values.*,
        sum(is_reference_value) over (partition by place_number order by x)
            as n_reference_values,
        max(is_reference_value) over (partition by place_number, x) as is_at_reference_value
    from source_values
),

positions as (
    select
        source_key,
        place_number,
        cast(2 * n_reference_values - is_at_reference_value as bigint) as position,
        cast(sum(n) as bigint) as n
    from numbered_values
    group by source_key, place_number, 2 * n_reference_values - is_at_reference_value
),

compared_positions as (
    select
        comparisons.cell_number,
        positions.position,
        sum(case when comparisons.is_reference then positions.n else 0 end) as n_reference,
        sum(case when comparisons.is_reference then 0 else positions.n end) as n_current
    from comparisons
    inner join positions
        on
            comparisons.source_key = positions.source_key
            and comparisons.place_number = positions.place_number
    where comparisons.may_hold_supremum
    group by comparisons.cell_number, positions.position
),

cumulated_positions as (
    select
        cell_number,
        n_reference,
        n_current,
        sum(n_reference) over (partition by cell_number order by position)
            as reference_through,
        sum(n_current) over (partition by cell_number order by position) as current_through
    from compared_positions
),

read_values as (
    select
        {{ mlmon.qualified('cells', mlmon.comparison_keys()) }},
        max(abs(
            cast(
                cells.reference_before + cumulated_positions.reference_through
                as {{ mlmon.type_double() }}
            ) / cells.reference_total
            - cast(
                cells.current_before + cumulated_positions.current_through
                as {{ mlmon.type_double() }}
            ) / cells.current_total
        )) as distance,
        sum(cumulated_positions.n_reference) as n_reference,
        sum(cumulated_positions.n_current) as n_current
    from cumulated_positions
    inner join cells
        on cumulated_positions.cell_number = cells.cell_number
    group by {{ mlmon.qualified('cells', mlmon.comparison_keys()) }}
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
),

cell_values as (
    select
        comparisons.cell_number,
        source_values.x,
        sum(case when comparisons.is_reference then source_values.n else 0 end)
            as n_reference,
        sum(case when comparisons.is_reference then 0 else source_values.n end) as n_current
    from comparisons
    inner join source_values
        on
            comparisons.source_key = source_values.source_key
            and comparisons.place_number = source_values.place_number
    where comparisons.is_transported
    group by comparisons.cell_number, source_values.x
),

side_values as (
    select
        {{ mlmon.qualified('cells', mlmon.comparison_keys()) }},
        cell_values.x,
        cell_values.n_reference,
        cell_values.n_current,
        sum(cell_values.n_reference) over {{ of_comparison }} = cells.reference_total
        and sum(cell_values.n_current) over {{ of_comparison }} = cells.current_total
            as is_complete
    from cell_values
    inner join cells
        on cell_values.cell_number = cells.cell_number
),

cumulated_values as (
    select
        side_values.*,
        max(abs(x)) over (partition by {{ keys }}) as magnitude,
        min(case when n_reference > 0 then x end) over (partition by {{ keys }}) as reference_low,
        sum(n_reference) over (partition by {{ keys }}) as reference_total,
        sum(n_current) over (partition by {{ keys }}) as current_total,
        sum(n_reference) over (partition by {{ keys }} order by x) as reference_through,
        sum(n_current) over (partition by {{ keys }} order by x) as current_through
    from side_values
    where x - x = 0 and is_complete
),

-- Only where squares would overflow or vanish are values taken in units of the largest: a division
-- would lose the last digits that tell 1.7e9 from 1.7e9 + 1.
sized as (
    select
        cumulated_values.*,
        case
            when magnitude between 1e-140 and 1e140 or magnitude = 0 then 1.0 else magnitude
        end as unit
    from cumulated_values
    where reference_total > 0 and current_total > 0
),

scaled as (
    select
        sized.*,
        case when unit >= 1 and abs(x) <= 1e-290 * unit then 0 else x / unit end as u,
        case
            when unit >= 1 and abs(reference_low) <= 1e-290 * unit then 0
            else reference_low / unit
        end as low
    from sized
),

-- The mean is taken from the lowest value up, so that equal values have no variance at all.
moved as (
    select
        scaled.*,
        lead(u) over (partition by {{ keys }} order by x) - u as step,
        low + sum(n_reference * (u - low)) over (partition by {{ keys }})
        / reference_total as reference_mean
    from scaled
),

distances as (
    select
        {{ keys }},
        max(unit) as unit,
        sum(
            abs(
                cast(reference_through as {{ mlmon.type_double() }}) / reference_total
                - cast(current_through as {{ mlmon.type_double() }}) / current_total
            ) * case when step > 1e-290 then step else 0 end
        ) as distance,
        sqrt(
            sum(case
                when abs(u - reference_mean) > 1e-145
                    then n_reference * (u - reference_mean) * (u - reference_mean)
                else 0
            end) / max(reference_total)
        ) as reference_std
    from moved
    group by {{ keys }}
)

select
    {{ mlmon.qualified('expected', mlmon.comparison_keys()) }},
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
    / (expected.n_reference + expected.n_current) as read_share,
    case
        when distances.distance < 1e-290 / greatest(least(distances.unit, 1), 1e-290) then 0
        when distances.unit < 8e307 / greatest(distances.distance, 1)
            then distances.distance * distances.unit
    end as wasserstein,
    case
        when distances.reference_std > 1e-300 then distances.distance / distances.reference_std
    end as wasserstein_normed
from expected
left join read_values
    on {{ mlmon.same_comparison('expected', 'read_values') }}
left join distances
    on {{ mlmon.same_comparison('expected', 'distances') }}
