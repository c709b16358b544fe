-- One row per population of a binary monitor, segment and metric that ranks scores: roc_auc, ties counting half, with DeLong's
-- interval, and average_precision, with the logit interval (Boyd, Eng and Page 2013).
with

ages as (
    {{ mlmon.label_ages_by_number() }}
),

summed as (
    select
        populations.population_number,
        populations.monitor,
        ranks.*
    from {{ ref('int_mlmon__score_ranks') }} as ranks
    inner join {{ ref('int_mlmon__populations') }} as populations
        on ranks.stretch_number = populations.stretch_number
    inner join ages
        on
            populations.monitor = ages.monitor
            and populations.label_age = ages.label_age
            and ranks.age_number = ages.age_number
    where ranks.segment_position = 0 or populations.has_segments
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
                -- Beyond 600 the bounds are 0 and 1, and exp overflows.
                then
                    least(
                        1.959963984540054
                        / sqrt(n_positive * average_precision * (1 - average_precision)),
                        600
                    )
        end as logit_width
    from measured
),

named as (
    select
        varied.*,
        case when varied.segment_position = 0 then 'all' else segments.segment_name end
            as segment_name
    from varied
    left join ({{ mlmon.segment_settings() }}) as segments
        on
            varied.monitor = segments.monitor
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
    1 / (1 + (1 - average_precision) / average_precision * exp(logit_width))
        as value_low,
    1 / (1 + (1 - average_precision) / average_precision * exp(-logit_width))
        as value_high,
    cast('logit' as {{ dbt.type_string() }}) as interval_method
from named
