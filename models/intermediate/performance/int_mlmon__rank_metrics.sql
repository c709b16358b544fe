-- One row per population of a binary monitor, segment and metric that ranks scores: roc_auc, ties counting half, with DeLong's
-- interval, and average_precision, with the logit interval (Boyd, Eng and Page 2013).
with

counts as (
    select * from {{ ref('int_mlmon__population_score_counts') }}
),

-- By falling score: the labels from a score on, those at the score itself counting half among the others.
cumulated as (
    select
        counts.*,
        cast(sum(n_positive) over falling as {{ mlmon.type_double() }}) as true_positives,
        cast(sum(n_negative) over falling as {{ mlmon.type_double() }}) as false_positives
    from counts
    window falling as (
        partition by population_number, segment_position, segment_value
        order by score desc nulls last
        rows between unbounded preceding and current row
    )
),

summed as (
    select
        population_number,
        segment_position,
        segment_value,
        cast(sum(n_positive) as {{ mlmon.type_double() }}) as n_positive,
        cast(sum(n_negative) as {{ mlmon.type_double() }}) as n_negative,
        sum(n_excluded) as n_excluded,
        sum(n_positive * (false_positives - 0.5 * n_negative)) as negatives_above,
        sum(n_positive * power(false_positives - 0.5 * n_negative, 2)) as negatives_above_squares,
        sum(n_negative * power(true_positives - 0.5 * n_positive, 2)) as positives_above_squares,
        sum(n_positive * true_positives / nullif(true_positives + false_positives, 0))
            as precision_sum
    from cumulated
    group by population_number, segment_position, segment_value
),

-- DeLong's components: of each positive the share of negatives below it, of each negative that of positives above it.
measured as (
    select
        summed.*,
        1 - negatives_above / nullif(n_positive, 0) / nullif(n_negative, 0) as roc_auc,
        precision_sum / nullif(n_positive, 0) as average_precision,
        negatives_above_squares / nullif(n_negative, 0) / nullif(n_negative, 0)
            as positive_squares,
        positives_above_squares / nullif(n_positive, 0) / nullif(n_positive, 0)
            as negative_squares
    from summed
),

varied as (
    select
        measured.*,
        case
            when n_positive > 1 and n_negative > 1
                then
                    greatest(0, positive_squares - n_positive * (1 - roc_auc) * (1 - roc_auc))
                    / (n_positive - 1) / n_positive
                    + greatest(0, negative_squares - n_negative * roc_auc * roc_auc)
                    / (n_negative - 1) / n_negative
        end as roc_variance,
        case
            when average_precision > 0 and average_precision < 1
                then 1 / sqrt(n_positive * average_precision * (1 - average_precision))
        end as logit_error
    from measured
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
