-- One row per monitor with scores, version, closed window end, span, segment and metric: what
-- performance is expected to be before labels arrive, and, once they have, what it was.
with

estimates as (
    select * from {{ ref('int_mlmon__estimated_values') }}
),

spans as (
    select * from {{ ref('int_mlmon__spans') }}
),

realised as (
    select * from {{ ref('fct_mlmon__performance') }}
    where is_horizon and class_label = 'all'
),

joined as (
    select
        spans.monitor_key,
        spans.monitor,
        spans.model_version,
        spans.window_start,
        spans.window_end,
        spans.window_date,
        spans.span_windows,
        estimates.segment_name,
        estimates.segment_value,
        estimates.metric,
        estimates.value,
        estimates.value_error,
        estimates.value_low,
        estimates.value_high,
        estimates.n_predictions,
        estimates.n_excluded,
        case when realised.is_mature then realised.value end as realised_value,
        case when realised.is_mature then realised.n end as n_labelled,
        -- What is labelled in part varies more than the whole, which the interval is for.
        sqrt(realised.label_coverage) as narrowing
    from estimates
    inner join spans
        on
            estimates.window_key = spans.window_key
            and estimates.span_windows = spans.span_windows
    left join realised
        on
            spans.monitor_key = realised.monitor_key
            and spans.window_end = realised.window_end
            and spans.span_windows = realised.span_windows
            and estimates.segment_name = realised.segment_name
            and estimates.segment_value = realised.segment_value
            and estimates.metric = realised.metric
)

select
    {{ mlmon.window_columns('joined') }},
    joined.segment_name,
    joined.segment_value,
    joined.metric,
    cast('all' as {{ dbt.type_string() }}) as class_label,
    cast('cbpe' as {{ dbt.type_string() }}) as method,
    joined.value,
    joined.value_error,
    joined.value_low,
    joined.value_high,
    joined.realised_value,
    joined.value - joined.realised_value as estimation_error,
    (joined.value - joined.realised_value) * joined.narrowing <= joined.value - joined.value_low
    and (joined.realised_value - joined.value) * joined.narrowing
    <= joined.value_high - joined.value as is_covered,
    cast(joined.n_predictions as bigint) as n_predictions,
    cast(joined.n_excluded as bigint) as n_excluded,
    cast(coalesce(joined.n_labelled, 0) as bigint) as n_labelled,
    cast('not_judged' as {{ dbt.type_string() }}) as status,
    cast(0 as integer) as status_rank,
    cast('not_judged_here' as {{ dbt.type_string() }}) as reason_code
from joined
