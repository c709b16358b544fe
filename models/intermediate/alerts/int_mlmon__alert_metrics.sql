-- One row per row of the metrics that an alert rule looks at, at its own span or at the
-- one that resolves it. Joined by plain columns, so that the view of metrics reads only
-- what is asked for.
{{ config(materialized='table') }}

with

targets as (
    select * from {{ ref('int_mlmon__alert_targets') }}
),

wanted as (
    select
        monitor,
        metric,
        span_windows
    from targets

    union distinct

    select
        monitor,
        metric,
        resolve_span_windows as span_windows
    from targets
),

metrics as (
    select * from {{ ref('fct_mlmon__metrics') }}
)

select
    metrics.monitor_key,
    metrics.monitor,
    metrics.model_version,
    metrics.window_start,
    metrics.window_end,
    metrics.window_date,
    metrics.span_windows,
    metrics.segment_name,
    metrics.segment_value,
    metrics.column_key,
    metrics.column_role,
    metrics.column_name,
    metrics.metric,
    metrics.class_label,
    metrics.label_age,
    metrics.value,
    metrics.reference_value,
    metrics.n,
    metrics.status,
    metrics.status_rank,
    metrics.reason_code
from metrics
inner join wanted
    on
        metrics.monitor = wanted.monitor
        and metrics.metric = wanted.metric
        and metrics.span_windows = wanted.span_windows
