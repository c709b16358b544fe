-- One row per window end, span, segment and metric: its estimated value, and where the realised one will lie in 95 of 100 cases if
-- the calibration holds.
{{ config(
    materialized='incremental',
    incremental_strategy='mlmon_windows',
    unique_key='window_key',
    on_schema_change='append_new_columns',
    meta={'stale': 'int_mlmon__touched_estimation_ends'},
    post_hook="{{ mlmon.record_windows('int_mlmon__touched_estimation_ends') }}",
) }}

with

sums as (
    {{ mlmon.named_segments(ref('int_mlmon__estimated_sums')) }}
),

estimated as (
    {{ mlmon.estimated_metrics('sums', [
        'window_key', 'span_windows', 'segment_name', 'segment_value', 'n_predictions', 'n_excluded',
    ]) }}
    {%- for model_name in ['int_mlmon__estimated_class_values', 'int_mlmon__estimated_class_ranks']
        if mlmon.mentions_class_scores() %}

    union all

    select
        window_key,
        span_windows,
        segment_name,
        segment_value,
        n_predictions,
        n_excluded,
        metric,
        value,
        variance
    from {{ ref(model_name) }}
    {%- endfor %}
)

select
    window_key,
    span_windows,
    segment_name,
    segment_value,
    metric,
    value,
    greatest(0, value - 1.959963984540054 * sqrt(variance)) as value_low,
    least(1, value + 1.959963984540054 * sqrt(variance)) as value_high,
    cast(n_predictions as bigint) as n_predictions,
    cast(n_excluded as bigint) as n_excluded
from estimated
where value is not null
