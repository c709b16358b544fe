-- One row per monitor, version, closed window end, span, segment and judged metric: its value at the horizon age.
{{ config(materialized='view') }}

select
    performance.*,
    spans.window_index,
    spans.is_judged
from {{ ref('fct_mlmon__performance') }} as performance
inner join ({{ mlmon.label_age_settings() }}) as label_ages
    on
        performance.monitor = label_ages.monitor
        and performance.label_age = label_ages.label_age
        and label_ages.is_horizon
inner join ({{ mlmon.judged_metric_settings() }}) as judged_metrics
    on
        performance.monitor = judged_metrics.monitor
        and performance.metric = judged_metrics.metric
inner join {{ ref('int_mlmon__version_spans') }} as spans
    on
        performance.monitor_key = spans.monitor_key
        and performance.window_end = spans.window_end
        and performance.span_windows = spans.span_windows
where performance.class_label = 'all'
