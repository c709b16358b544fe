-- One row per monitor, version, closed window end, segment and metric that is a mean over labelled predictions: its
-- value at the horizon age and the longest span, and how many predictions it is the mean of.
{{ config(materialized='view') }}

select
    performance.monitor_key,
    performance.monitor,
    performance.model_version,
    spans.window_index,
    performance.window_start,
    performance.window_end,
    performance.window_date,
    performance.span_windows,
    performance.segment_name,
    performance.segment_value,
    performance.metric,
    performance.label_age,
    performance.label_age_days,
    performance.value,
    performance.n,
    performance.is_mature
from {{ ref('fct_mlmon__performance') }} as performance
inner join ({{ mlmon.label_age_settings() }}) as label_ages
    on
        performance.monitor = label_ages.monitor
        and performance.label_age = label_ages.label_age
        and label_ages.is_horizon
inner join {{ ref('int_mlmon__version_spans') }} as spans
    on
        performance.monitor_key = spans.monitor_key
        and performance.window_end = spans.window_end
        and performance.span_windows = spans.span_windows
        and spans.is_default_span
where
    performance.segment_name <> 'all'
    and performance.metric in ('{{ mlmon.additive_metrics() | join("', '") }}')
    and performance.class_label = 'all'
    and performance.value is not null
    and performance.n > 0
