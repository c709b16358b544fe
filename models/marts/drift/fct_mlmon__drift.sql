-- One row per monitor, version, closed window end, span, segment, column and drift method: the statistic and what
-- it was judged by. All methods on the whole monitor; on segments the deciding ones at the verdict span.
{{ config(
    materialized='incremental',
    incremental_strategy='mlmon_windows',
    unique_key='window_key',
    on_schema_change='append_new_columns',
    meta={'stale': 'int_mlmon__touched_verdict_windows'},
    post_hook="{{ mlmon.record_windows('int_mlmon__touched_verdict_windows') }}",
) }}

with

limits as (
    select * from {{ ref('int_mlmon__drift_limits') }}
),

spans as (
    select * from {{ ref('int_mlmon__spans') }}
),

columns as (
    select * from {{ ref('int_mlmon__column_settings') }}
),

-- Each of several deciding methods may raise a false alarm: they share the level.
levelled as (
    select
        limits.*,
        0.01 * (1 - 1e-12) / nullif(
            sum(case when is_deciding and p_value is not null then 1 else 0 end) over (
                partition by {{ mlmon.comparison_keys() | join(', ') }}
            ), 0
        ) as alpha
    from limits
    where segment_name = 'all' or is_deciding
),

judged as (
    select
        levelled.*,
        case
            when not is_deciding then 'not_deciding'
            when n_reference = 0 then 'no_reference'
            when n_current = 0 then 'no_rows'
            when not is_judged then 'short_span'
            when value is null then 'undefined'
            when warning is null then 'no_threshold'
            when
                {{ mlmon.reaches('abs(value)', 'critical') }}
                and adjusted_p_value < alpha
                then 'above_critical'
            when
                {{ mlmon.reaches('abs(value)', 'warning') }}
                and adjusted_p_value < alpha
                then 'above_warning'
            when min_detectable_effect > warning * (1 + 1e-12) then 'sample_too_small'
            when {{ mlmon.reaches('abs(value)', 'warning') }} then 'could_be_chance'
            else 'within_threshold'
        end as reason_code
    from levelled
),

rated as (
    select
        judged.*,
        case
            when reason_code = 'not_deciding' then 'not_judged'
            when reason_code = 'no_reference' then 'no_reference'
            when reason_code in (
                'no_rows', 'short_span', 'undefined', 'no_threshold', 'sample_too_small'
            ) then 'insufficient_data'
            when reason_code = 'above_critical' then 'critical'
            when reason_code = 'above_warning' then 'warning'
            else 'ok'
        end as status
    from judged
)

select
    spans.window_key,
    {{ mlmon.window_columns('spans') }},
    rated.segment_name,
    rated.segment_value,
    columns.column_key,
    columns.column_name,
    columns.column_role,
    columns.column_kind,
    rated.method,
    rated.value,
    rated.value_method,
    rated.p_value,
    rated.adjusted_p_value,
    case when rated.p_value is not null then rated.p_value_method end as p_value_method,
    rated.warning as threshold_warning,
    rated.critical as threshold_critical,
    case
        when rated.is_varied then 'reference_windows'
        when rated.warning is not null then 'fixed'
    end as threshold_source,
    rated.min_detectable_effect,
    rated.n_reference,
    rated.n_current,
    coalesce(rated.bin_spec_id, 'none') as bin_spec_id,
    rated.smoothing,
    spans.reference_hash,
    rated.read_share,
    rated.is_deciding,
    rated.is_verdict,
    rated.status,
    {{ mlmon.status_rank('rated.status') }} as status_rank,
    rated.reason_code
from rated
inner join spans
    on
        rated.window_key = spans.window_key
        and rated.span_windows = spans.span_windows
inner join columns
    on
        spans.monitor = columns.monitor
        and rated.column_name = columns.column_name
