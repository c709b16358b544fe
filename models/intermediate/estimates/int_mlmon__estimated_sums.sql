-- One row per touched window end, span and segment: the confusion matrix that calibrated scores let expect, the variances of
-- its realised counts, and what ranking the scores comes to if each is positive with its probability.
with

weighed as (
    select
        scores.*,
        n - n_predicted_positive - n_unpredicted as n_predicted_negative,
        n * probability as positives,
        n * (1 - probability) as negatives,
        -- A probability is no surer than that many rows of the reference can make it.
        {{ mlmon.smoothed_probability('probability', 'n_predicted', 2) }}
            as probability_if_positive,
        {{ mlmon.smoothed_probability('probability', 'n_predicted_other', 2) }}
            as probability_if_negative
    from {{ ref('int_mlmon__estimated_scores') }} as scores
),

cumulated as (
    select
        weighed.*,
        sum(negatives) over (
            partition by stretch_number, segment_position, segment_value
            order by score desc nulls last
            rows between unbounded preceding and current row
        ) as negatives_through
    from weighed
)

select
    stretch_number,
    window_key,
    monitor,
    span_windows,
    segment_position,
    segment_value,
    max(n_reference) as n_reference,
    cast(sum(n) as bigint) as n_predictions,
    cast(sum(case when score is null then n else n_unpredicted end) as bigint) as n_excluded,
    sum(n_predicted_positive * probability) as tp,
    sum(n_predicted_positive * (1 - probability)) as fp,
    sum(n_predicted_negative * probability) as fn,
    sum(n_predicted_negative * (1 - probability)) as tn,
    sum(n_predicted_positive * probability_if_positive * (1 - probability_if_positive))
        * {{ mlmon.calibration_factor(
            'sum(case when score is null then 0 else n_predicted_positive end)', 'max(n_predicted)'
        ) }} as positive_variance,
    sum(n_predicted_negative * probability_if_negative * (1 - probability_if_negative))
        * {{ mlmon.calibration_factor(
            'sum(case when score is null then 0 else n_predicted_negative end)',
            'max(n_predicted_other)'
        ) }} as negative_variance,
    sum(positives) as positives,
    sum(negatives) as negatives,
    sum(positives * (negatives_through - 0.5 * negatives)) as negatives_above
from cumulated
group by
    stretch_number, window_key, monitor, span_windows, segment_position, segment_value
