-- The rows of fct_mlmon__monitor_health at the newest closed window of each monitor and version,
-- marked by whether the version is the current one: what a dashboard without sub-queries shows. A
-- version that no longer serves, and is not the current one, is judged no more: it is retired.
{{ config(materialized='view') }}
{%- set columns = [
    'monitor_key', 'monitor', 'model_version', 'window_start', 'window_end', 'window_date', 'span_windows',
    'segment_name', 'segment_value', 'quality_rank', 'drift_rank', 'performance_rank', 'freshness_rank',
    'operations_rank', 'drift_share', 'primary_metric', 'primary_value', 'primary_relative_loss',
    'label_coverage', 'is_mature', 'latency_p99_ms', 'error_rate', 'n_predictions', 'data_through_at',
] %}

with

latest as (
    {{ mlmon.latest_rows('fct_mlmon__monitor_health') }}
),

marked as (
    select
        latest.*,
        not monitors.is_active and not monitors.is_current_version as is_retired
    from latest
    inner join {{ ref('dim_mlmon__monitors') }} as monitors
        on latest.monitor_key = monitors.monitor_key
)

select
    {{ columns | join(',\n    ') }},
    case when is_retired then 'not_judged' else status end as status,
    case when is_retired then 0 else status_rank end as status_rank,
    case when is_retired then 'retired' else reason_code end as reason_code,
    case
        when is_retired
            then 'This version no longer serves. Its last status was ' || status || '.'
        else reason
    end as reason,
    is_current_version,
    is_default_span
from marked
