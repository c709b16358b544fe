-- One row per touched window end at its verdict span, segment and column for which it is asked: the first Wasserstein
-- distance over all finite values, and divided by the reference's standard deviation. Only where squares would overflow or
-- vanish are values taken in units of the largest: a division costs the last digits of 1.7e9 and 1.7e9 + 1.
{%- set keys = mlmon.comparison_keys() | join(', ') %}

with

comparisons as (
    select * from {{ ref('int_mlmon__rank_comparisons') }}
    where is_transported
),

cells as (
    select * from {{ ref('int_mlmon__compared_cells') }}
    where is_transported
),

read_values as (
    select
        comparisons.cell_number,
        compared_values.x,
        sum(case when comparisons.is_reference then compared_values.n else 0 end)
            as n_reference,
        sum(case when comparisons.is_reference then 0 else compared_values.n end) as n_current
    from comparisons
    inner join {{ ref('int_mlmon__compared_values') }} as compared_values
        on
            comparisons.source_number = compared_values.source_number
            and comparisons.place_number = compared_values.place_number
    group by comparisons.cell_number, compared_values.x
),

side_values as (
    select
        {{ mlmon.qualified('cells', mlmon.comparison_keys()) }},
        read_values.x,
        read_values.n_reference,
        read_values.n_current,
        cells.reference_total as reference_expected,
        cells.current_total as current_expected
    from read_values
    inner join cells
        on read_values.cell_number = cells.cell_number
),

-- Where the log no longer has all values there is no distance.
complete as (
    select {{ keys }}
    from side_values
    group by {{ keys }}
    having
        sum(n_reference) = max(reference_expected)
        and sum(n_current) = max(current_expected)
),

measured as (
    select
        side_values.*,
        max(abs(x)) over (partition by {{ keys }}) as magnitude,
        min(case when n_reference > 0 then x end) over (partition by {{ keys }}) as reference_low,
        sum(n_reference) over (partition by {{ keys }}) as reference_total,
        sum(n_current) over (partition by {{ keys }}) as current_total,
        sum(n_reference) over (partition by {{ keys }} order by x) as reference_through,
        sum(n_current) over (partition by {{ keys }} order by x) as current_through
    from side_values
    where x - x = 0
),

sized as (
    select
        measured.*,
        case
            when magnitude between 1e-140 and 1e140 or magnitude = 0 then 1.0 else magnitude
        end as unit
    from measured
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
        / nullif(reference_total, 0) as reference_mean
    from scaled
),

summed as (
    select
        {{ keys }},
        max(unit) as unit,
        max(reference_total) as reference_total,
        max(current_total) as current_total,
        sum(
            abs(
                cast(reference_through as {{ mlmon.type_double() }}) / nullif(reference_total, 0)
                - cast(current_through as {{ mlmon.type_double() }}) / nullif(current_total, 0)
            ) * case when step > 1e-290 then step else 0 end
        ) as distance,
        sqrt(
            sum(
                case
                    when abs(u - reference_mean) > 1e-145
                        then n_reference * (u - reference_mean) * (u - reference_mean)
                    else 0
                end
            )
            / nullif(max(reference_total), 0)
        ) as reference_stddev
    from moved
    group by {{ keys }}
)

select
    summed.window_key,
    summed.span_windows,
    summed.segment_name,
    summed.segment_value,
    summed.column_name,
    case
        when distance < 1e-290 / greatest(least(unit, 1), 1e-290) then 0
        when unit < 8e307 / greatest(distance, 1) then distance * unit
    end as wasserstein,
    case when reference_stddev > 1e-300 then distance / reference_stddev end
        as wasserstein_normed
from summed
inner join complete
    on {{ mlmon.same_comparison('summed', 'complete') }}
where summed.reference_total > 0 and summed.current_total > 0
