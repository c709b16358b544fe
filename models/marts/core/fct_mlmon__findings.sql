-- One row per verdict at warning or critical, of all marts that judge: the one list of what was wrong, where and
-- when. Drift at the verdict span and performance at the default one; the others are there to look at.
{{ config(materialized='view') }}

with

monitors as (
    select
        monitor,
        max(default_span_windows) as default_span_windows
    from {{ ref('dim_mlmon__monitors') }}
    group by monitor
),

verdicts as (
    select
        'quality' as area,
        monitor,
        model_version,
        window_start,
        window_end,
        window_date,
        span_windows,
        segment_name,
        segment_value,
        column_key,
        column_name,
        column_role,
        column_kind,
        check_name as object,
        status,
        status_rank,
        reason_code,
        reason,
        true as is_verdict
    from {{ ref('fct_mlmon__quality_checks') }}
    {%- for mart, object, is_verdict in [
        ('fct_mlmon__column_drift', 'deciding_method', 'is_verdict'),
        ('fct_mlmon__label_drift', 'method', 'cast(null as boolean)'),
        ('fct_mlmon__label_association', 'method', 'cast(null as boolean)'),
    ] %}

    union all

    select
        'drift' as area,
        monitor,
        model_version,
        window_start,
        window_end,
        window_date,
        span_windows,
        segment_name,
        segment_value,
        column_key,
        column_name,
        column_role,
        column_kind,
        {{ object }} as object,
        status,
        status_rank,
        reason_code,
        reason,
        {{ is_verdict }} as is_verdict
    from {{ ref(mart) }}
    {%- endfor %}

    union all

    select
        'drift' as area,
        monitor,
        model_version,
        window_start,
        window_end,
        window_date,
        span_windows,
        segment_name,
        segment_value,
        {{ mlmon.column_key('monitor', "'table'", "'all'") }} as column_key,
        'all' as column_name,
        'table' as column_role,
        'none' as column_kind,
        'drift_share' as object,
        status,
        status_rank,
        reason_code,
        reason,
        is_verdict
    from {{ ref('fct_mlmon__dataset_drift') }}

    union all

    select
        'drift' as area,
        monitor,
        model_version,
        window_start,
        window_end,
        window_date,
        span_windows,
        segment_name,
        segment_value,
        {{ mlmon.column_key('monitor', "'table'", "'all'") }} as column_key,
        'all' as column_name,
        'table' as column_role,
        'none' as column_kind,
        method as object,
        status,
        status_rank,
        reason_code,
        reason,
        true as is_verdict
    from {{ ref('fct_mlmon__multivariate_drift') }}

    union all

    select
        'performance' as area,
        monitor,
        model_version,
        window_start,
        window_end,
        window_date,
        span_windows,
        segment_name,
        segment_value,
        {{ mlmon.column_key('monitor', "'table'", "'all'") }} as column_key,
        'all' as column_name,
        'table' as column_role,
        'none' as column_kind,
        metric as object,
        status,
        status_rank,
        reason_code,
        reason,
        cast(null as boolean) as is_verdict
    from {{ ref('fct_mlmon__degradation') }}
)

select
    verdicts.area,
    verdicts.monitor,
    verdicts.model_version,
    verdicts.window_start,
    verdicts.window_end,
    verdicts.window_date,
    verdicts.span_windows,
    verdicts.segment_name,
    verdicts.segment_value,
    verdicts.column_key,
    verdicts.column_name,
    verdicts.column_role,
    verdicts.column_kind,
    verdicts.object,
    verdicts.status,
    verdicts.status_rank,
    verdicts.reason_code,
    verdicts.reason
from verdicts
inner join monitors
    on verdicts.monitor = monitors.monitor
where
    verdicts.status in ('warning', 'critical')
    -- What has no verdict span of its own is judged at the longest.
    and coalesce(verdicts.is_verdict, verdicts.span_windows = monitors.default_span_windows)
