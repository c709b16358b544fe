-- One row per population of a binary monitor, segment and metric that ranks scores: roc_auc, ties counting half, with DeLong's
-- interval, and average_precision, with the logit interval (Boyd, Eng and Page 2013). Both by Student's t where few rows carry
-- them: roc_auc fewer than fifty of the rarer class, then on the scale of the logit as well; average_precision fewer than
-- fifty positives.
with

summed as (
    {{ mlmon.ranked_populations(ref('int_mlmon__score_ranks')) }}
),

-- DeLong's components: of each positive the share of negatives below it, of each negative that of positives above it.
measured as (
    select
        summed.*,
        1 - negatives_above / nullif(n_positive, 0) / nullif(n_negative, 0) as value,
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
                    greatest(0, positive_squares - n_positive * (1 - value) * (1 - value))
                    / (n_positive - 1) / n_positive
                    + greatest(0, negative_squares - n_negative * value * value)
                    / (n_negative - 1) / n_negative
        end as variance,
        least(n_positive, n_negative) as n_rarest,
        case
            when average_precision > 0 and average_precision < 1
                -- Beyond 600 the bounds are 0 and 1, and exp overflows.
                then
                    least(
                        {{ mlmon.quantile_of('n_positive') }}
                        / sqrt(n_positive * average_precision * (1 - average_precision)),
                        600
                    )
        end as logit_width
    from measured
),

named as (
    {{ mlmon.named_segments('varied') }}
)

select
    population_number,
    segment_name,
    segment_value,
    cast('roc_auc' as {{ dbt.type_string() }}) as metric,
    cast('all' as {{ dbt.type_string() }}) as class_label,
    value,
    interval_variance as variance,
    cast(n_positive + n_negative as bigint) as n,
    cast(n_excluded as bigint) as n_excluded,
    value_low,
    value_high,
    interval_method
from ({{ mlmon.rank_intervals('named', 'n_rarest < 50') }}) as bounded

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
