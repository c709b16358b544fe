-- One row per population of a binary monitor, segment and metric that ranks scores: roc_auc, ties counting half, with DeLong's
-- interval, and average_precision, with the logit interval (Boyd, Eng and Page 2013).
with

counts as (
    select * from {{ ref('int_mlmon__population_score_counts') }}
),

cumulated as (
    select
        counts.*,
        cast(sum(n_positive) over (
            partition by population_number, segment_position, segment_value
            order by score
            rows between unbounded preceding and current row
        ) as {{ mlmon.type_double() }}) as positive_through,
        cast(sum(n_negative) over (
            partition by population_number, segment_position, segment_value
            order by score
            rows between unbounded preceding and current row
        ) as {{ mlmon.type_double() }}) as negative_through,
        cast(sum(n_positive) over (
            partition by population_number, segment_position, segment_value
        ) as {{ mlmon.type_double() }}) as all_positive,
        cast(sum(n_negative) over (
            partition by population_number, segment_position, segment_value
        ) as {{ mlmon.type_double() }}) as all_negative
    from counts
),

-- The share of the other class that a score is rightly beyond, and the precision of all scores from it on.
placed as (
    select
        cumulated.*,
        (negative_through - 0.5 * n_negative) / nullif(all_negative, 0) as positive_placement,
        (all_positive - positive_through + 0.5 * n_positive) / nullif(all_positive, 0)
            as negative_placement,
        (all_positive - positive_through + n_positive)
        / nullif(
            all_positive - positive_through + n_positive
            + all_negative - negative_through + n_negative, 0
        ) as precision_from_here
    from cumulated
),

summed as (
    select
        population_number,
        segment_position,
        segment_value,
        max(all_positive) as n_positive,
        max(all_negative) as n_negative,
        sum(n_excluded) as n_excluded,
        sum(n_positive * positive_placement) / nullif(max(all_positive), 0) as roc_auc,
        sum(n_positive * positive_placement * positive_placement) as positive_squares,
        sum(n_negative * negative_placement * negative_placement) as negative_squares,
        sum(n_positive * precision_from_here) / nullif(max(all_positive), 0) as average_precision
    from placed
    group by population_number, segment_position, segment_value
),

varied as (
    select
        summed.*,
        case
            when n_positive > 1 and n_negative > 1
                then
                    greatest(0, positive_squares - n_positive * roc_auc * roc_auc)
                    / (n_positive - 1) / n_positive
                    + greatest(0, negative_squares - n_negative * roc_auc * roc_auc)
                    / (n_negative - 1) / n_negative
        end as roc_variance,
        case
            when average_precision > 0 and average_precision < 1
                then 1 / sqrt(n_positive * average_precision * (1 - average_precision))
        end as logit_error
    from summed
),

named as (
    select
        varied.*,
        case when varied.segment_position = 0 then 'all' else segments.segment_name end
            as segment_name
    from varied
    inner join {{ ref('int_mlmon__populations') }} as populations
        on varied.population_number = populations.population_number
    left join ({{ mlmon.segment_settings() }}) as segments
        on
            populations.monitor = segments.monitor
            and varied.segment_position = segments.segment_position
    where varied.segment_position = 0 or segments.segment_name is not null
)

select
    population_number,
    segment_name,
    segment_value,
    cast('roc_auc' as {{ dbt.type_string() }}) as metric,
    cast('all' as {{ dbt.type_string() }}) as class_label,
    roc_auc as value,
    roc_variance as variance,
    cast(n_positive + n_negative as bigint) as n,
    cast(n_excluded as bigint) as n_excluded,
    case
        when roc_variance is not null
            then greatest(0, roc_auc - 1.959963984540054 * sqrt(roc_variance))
    end as value_low,
    case
        when roc_variance is not null
            then least(1, roc_auc + 1.959963984540054 * sqrt(roc_variance))
    end as value_high,
    cast('delong' as {{ dbt.type_string() }}) as interval_method
from named

union all

select
    population_number,
    segment_name,
    segment_value,
    cast('average_precision' as {{ dbt.type_string() }}) as metric,
    cast('all' as {{ dbt.type_string() }}) as class_label,
    average_precision as value,
    average_precision * (1 - average_precision) / nullif(n_positive, 0) as variance,
    cast(n_positive + n_negative as bigint) as n,
    cast(n_excluded as bigint) as n_excluded,
    1 / (1 + (1 - average_precision) / average_precision * exp(1.959963984540054 * logit_error))
        as value_low,
    1 / (1 + (1 - average_precision) / average_precision * exp(-1.959963984540054 * logit_error))
        as value_high,
    cast('logit' as {{ dbt.type_string() }}) as interval_method
from named
