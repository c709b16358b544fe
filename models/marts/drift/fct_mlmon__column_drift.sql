-- One row per monitor, version, closed window end, span, segment and column: the column's one drift
-- verdict, which is that of its worst deciding method. Where no computed method decides there is a
-- row all the same, which says so.
{{ config(
    materialized='incremental',
    incremental_strategy='mlmon_windows',
    unique_key='window_key',
    on_schema_change='append_new_columns',
    meta={'stale': 'drift'},
    post_hook="{{ mlmon.record_windows('drift') }}",
) }}

with

stale as (
    select * from {{ ref('int_mlmon__stale_ends') }}
    where facts = 'drift'
),

drift as (
    select drift.*
    from {{ ref('fct_mlmon__drift') }} as drift
    inner join stale
        on drift.window_key = stale.window_key
),

statistics as (
    select * from {{ ref('int_mlmon__drift_statistics') }}
),

ranked as (
    select
        drift.*,
        row_number() over (
            partition by
                window_key, span_windows, segment_name, segment_value, column_key
            order by is_deciding desc, status_rank desc, method desc
        ) as verdict_rank
    from drift
),

described as (
    select
        ranked.*,
        statistics.psi,
        statistics.js_distance,
        statistics.ks,
        statistics.wasserstein_normed,
        statistics.missing_change,
        case when ranked.column_role = 'feature' then 0 else 1 end as is_output
    from ranked
    inner join statistics
        on {{ mlmon.same_comparison('ranked', 'statistics') }}
    where ranked.verdict_rank = 1
),

shared as (
    select
        described.*,
        case
            when column_role = 'feature'
                then psi / nullif(sum(psi) over (
                    partition by
                        window_key, span_windows, segment_name, segment_value, is_output
                ), 0)
        end as psi_share,
        case
            when column_role = 'feature'
                then cast(rank() over (
                    partition by
                        window_key, span_windows, segment_name, segment_value, is_output
                    order by {{ mlmon.rounded('psi') }} desc nulls last
                ) as integer)
        end as psi_rank
    from described
)

select
    window_key,
    {{ mlmon.window_columns('shared') }},
    segment_name,
    segment_value,
    column_key,
    column_name,
    column_role,
    column_kind,
    case when is_deciding then method end as deciding_method,
    psi,
    js_distance,
    ks,
    wasserstein_normed,
    missing_change,
    case when is_deciding then adjusted_p_value end as adjusted_p_value,
    case when is_deciding then threshold_warning end as threshold_warning,
    case when is_deciding then threshold_critical end as threshold_critical,
    case when is_deciding then threshold_source end as threshold_source,
    psi_share,
    psi_rank,
    n_reference,
    n_current,
    reference_hash,
    is_verdict,
    status,
    status_rank,
    reason_code,
    {{ mlmon.drift_reason('shared') }} as reason
from shared
