-- The performance of the newest window that is complete at the horizon age, per monitor, version
-- and span: what the model is known to do, not what early labels suggest.
{{ config(materialized='view') }}

with

horizon_rows as (
    select * from {{ ref('fct_mlmon__performance') }}
    where is_horizon and is_complete
),

newest as (
    select
        monitor_key,
        span_windows,
        max(window_end) as window_end
    from horizon_rows
    group by monitor_key, span_windows
),

monitors as (
    select * from {{ ref('dim_mlmon__monitors') }}
),

default_spans as (
    select
        monitor,
        max(default_span_windows) as default_span_windows
    from monitors
    group by monitor
)

select
    horizon_rows.*,
    coalesce(monitors.is_current_version, horizon_rows.model_version = 'all')
        as is_current_version,
    horizon_rows.span_windows = default_spans.default_span_windows as is_default_span
from horizon_rows
inner join newest
    on
        horizon_rows.monitor_key = newest.monitor_key
        and horizon_rows.span_windows = newest.span_windows
        and horizon_rows.window_end = newest.window_end
inner join default_spans
    on horizon_rows.monitor = default_spans.monitor
left join monitors
    on horizon_rows.monitor_key = monitors.monitor_key
