-- One row per closed window end of a monitor with scores, span, segment and metric: its estimated
-- value, and where the realised one will lie in 95 of 100 cases if the calibration holds. It says
-- what performance is before labels arrive. The reference's calibration map gives each score the
-- probability of a positive label; added up, these are the confusion matrix to be expected, the
-- variances of its counts, and the expected metrics that rank scores.
{{ config(
    materialized='incremental',
    incremental_strategy='mlmon_windows',
    unique_key='window_key',
    on_schema_change='append_new_columns',
    meta={'stale': 'estimates'},
    post_hook="{{ mlmon.record_windows('estimates') }}",
) }}

with

spans as (
    select
        row_number() over (order by spans.window_key, spans.span_windows) as span_number,
        spans.window_key,
        spans.monitor,
        spans.model_version,
        spans.span_windows,
        spans.is_default_span,
        spans.first_index,
        spans.window_index,
        spans.reference_key
    from {{ ref('int_mlmon__stale_ends') }} as stale
    inner join {{ ref('int_mlmon__spans') }} as spans
        on stale.window_key = spans.window_key
    where stale.facts = 'estimates' and stale.fingerprint is not null
),

maps as (
    select * from {{ ref('int_mlmon__calibration_maps') }}
),

windows as (
    select * from {{ ref('int_mlmon__windows') }}
    where source = 'log' and n_predictions > 0
),

counts as {{ mlmon.inlined() }} (
    select
        spans.span_number,
        spans.is_default_span,
        spans.reference_key,
        counts.predicted_class,
        counts.cell,
        counts.n,
        counts.score_sum,
        counts.score_min,
        counts.score_max
        {%- for number in range(1, mlmon.slot_counts()['segment'] + 1) %},
        counts.segment_{{ number }}
        {%- endfor %}
    from spans
    inner join windows
        on
            spans.monitor = windows.monitor
            and spans.model_version = windows.model_version
            and windows.window_index between spans.first_index and spans.window_index
    inner join {{ ref('int_mlmon__score_counts') }} as counts
        on windows.window_key = counts.window_key
),

summed as (
    {%- for position in range(0, mlmon.slot_counts()['segment'] + 1) %}
    {%- if not loop.first %}

    union all
    {% endif %}
    select
        span_number,
        reference_key,
        cast({{ position }} as bigint) as segment_position,
        {{ 'segment_' ~ position if position else "cast('all' as " ~ dbt.type_string() ~ ")" }}
            as segment_value,
        cell,
        predicted_class,
        {{ mlmon.without_underflow('sum(score_sum)') }} / sum(n) as score,
        min(score_min) as score_min,
        max(score_max) as score_max,
        sum(n) as n
    from counts
    {%- if position %}
    where is_default_span
    {%- endif %}
    group by
        span_number, reference_key, cell, predicted_class
        {{- ', segment_' ~ position if position }}
    {%- endfor %}
),

-- The last knot of the map at or below each score: knots and scores are put in one order.
asked as (
    select
        reference_key,
        score_min as score,
        cast(null as bigint) as knot_number
    from summed
    where cell is not null

    union

    select
        reference_key,
        score_max as score,
        cast(null as bigint) as knot_number
    from summed
    where cell is not null

    union all

    select
        reference_key,
        score,
        knot_number
    from maps
    where knot_number > 0
),

answered as (
    select
        asked.*,
        coalesce(max(knot_number) over (
            partition by reference_key order by score
            range between unbounded preceding and current row
        ), 0) as last_knot
    from asked
),

calibrated as (
    select
        answered.reference_key,
        answered.score,
        answered.last_knot,
        maps.slope,
        {{ mlmon.mapped_probability('answered.score', 'maps') }} as probability,
        maps.n_reference,
        maps.n_predicted,
        maps.n_predicted_other
    from answered
    inner join maps
        on
            answered.reference_key = maps.reference_key
            and answered.last_knot = maps.knot_number
    where answered.knot_number is null
),

-- Within an interval of the map the mean probability of a cell is that of its mean score. A cell
-- across a knot has one between those of its least and its greatest score: how much more, or less,
-- it could be is told beside it.
mapped as (
    select
        summed.*,
        case
            when least_score.last_knot = greatest_score.last_knot
                then
                    least(1, greatest(0, least_score.probability
                    + least_score.slope
                    * {{ mlmon.without_underflow('summed.score - summed.score_min') }}))
            else
                least_score.probability
                + (greatest_score.probability - least_score.probability)
                * {{ mlmon.without_underflow('summed.score - summed.score_min') }}
                / (summed.score_max - summed.score_min)
        end as probability,
        least_score.last_knot = greatest_score.last_knot as is_linear,
        least_score.probability as least_probability,
        greatest_score.probability as greatest_probability,
        least_score.n_reference,
        least_score.n_predicted,
        least_score.n_predicted_other
    from summed
    left join calibrated as least_score
        on
            summed.reference_key = least_score.reference_key
            and summed.score_min = least_score.score
    left join calibrated as greatest_score
        on
            summed.reference_key = greatest_score.reference_key
            and summed.score_max = greatest_score.score
),

weighed as (
    select
        mapped.*,
        case when predicted_class = '1' then n else 0 end as n_predicted_positive,
        case when predicted_class <> '1' then n else 0 end as n_predicted_negative,
        case when predicted_class is null then n else 0 end as n_unpredicted,
        case when is_linear then 0 else greatest_probability - probability end as more,
        case when is_linear then 0 else probability - least_probability end as less,
        n * probability as positives,
        n * (1 - probability) as negatives,
        -- The probability is no more certain than the rows of the reference make it.
        {{ mlmon.smoothed_probability('probability', 'n_predicted') }} as probability_if_positive,
        {{ mlmon.smoothed_probability('probability', 'n_predicted_other') }}
            as probability_if_negative
    from mapped
),

-- By falling score: the negatives to be expected from a cell on. Those in the cell itself count
-- half.
cumulated as (
    select
        weighed.*,
        sum(negatives) over (
            partition by span_number, segment_position, segment_value
            order by cell desc nulls last
            range between unbounded preceding and current row
        ) as negatives_through,
        sum(negatives) over one_cell as negatives_in_cell,
        min(score_min) over one_cell < max(score_max) over one_cell as is_hidden
    from weighed
    window one_cell as (partition by span_number, segment_position, segment_value, cell)
),

sums as (
    select
        span_number,
        segment_position,
        segment_value,
        max(n_reference) as n_reference,
        cast(sum(n) as bigint) as n_predictions,
        cast(sum(case when cell is null then n else n_unpredicted end) as bigint) as n_excluded,
        sum(n_predicted_positive * probability) as tp,
        sum(n_predicted_positive * (1 - probability)) as fp,
        sum(n_predicted_negative * probability) as fn,
        sum(n_predicted_negative * (1 - probability)) as tn,
        sum(n_predicted_positive * probability_if_positive * (1 - probability_if_positive))
            * {{ mlmon.calibration_factor(
                'sum(case when cell is null then 0 else n_predicted_positive end)',
                'max(n_predicted)'
            ) }} as positive_variance,
        sum(n_predicted_negative * probability_if_negative * (1 - probability_if_negative))
            * {{ mlmon.calibration_factor(
                'sum(case when cell is null then 0 else n_predicted_negative end)',
                'max(n_predicted_other)'
            ) }} as negative_variance,
        sum(positives) as positives,
        sum(negatives) as negatives,
        sum(positives * (negatives_through - 0.5 * negatives_in_cell)) as negatives_above,
        -- What the cells hide of it: probabilities, and the order of the scores in a cell.
        sum(n_predicted_positive * more) as tp_more,
        sum(n_predicted_positive * less) as tp_less,
        sum(n_predicted_negative * more) as fn_more,
        sum(n_predicted_negative * less) as fn_less,
        sum(n * (more + less)) as all_error,
        sum(case when is_hidden then 0.5 * positives * negatives_in_cell else 0 end)
            as hidden_pairs
    from cumulated
    group by span_number, segment_position, segment_value
),

named as (
    select
        sums.*,
        spans.window_key,
        spans.span_windows,
        coalesce(segments.segment_name, 'all') as segment_name
    from sums
    inner join spans
        on sums.span_number = spans.span_number
    left join ({{ mlmon.segment_settings() }}) as segments
        on
            spans.monitor = segments.monitor
            and sums.segment_position = segments.segment_position
    where sums.segment_position = 0 or segments.segment_name is not null
),

estimated as (
    {{ mlmon.estimated_metrics('named', [
        'window_key', 'span_windows', 'segment_name', 'segment_value', 'n_predictions', 'n_excluded',
    ]) }}
)

select
    window_key,
    span_windows,
    segment_name,
    segment_value,
    metric,
    value,
    value_error,
    greatest(0, value - 1.959963984540054 * sqrt(variance)) as value_low,
    least(1, value + 1.959963984540054 * sqrt(variance)) as value_high,
    cast(n_predictions as bigint) as n_predictions,
    cast(n_excluded as bigint) as n_excluded
from estimated
where value is not null
