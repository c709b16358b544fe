-- One row per monitor, version, closed window end, span, segment and column: the column's one drift verdict, which
-- is its worst deciding method.
{{ config(
    materialized='incremental',
    incremental_strategy='mlmon_windows',
    unique_key='window_key',
    on_schema_change='append_new_columns',
    meta={'touched': 'int_mlmon__touched_verdict_windows'},
    post_hook="{{ mlmon.record_windows(ref('mlmon', 'int_mlmon__touched_verdict_windows')) }}",
) }}

with

touched as (
    select * from {{ ref('int_mlmon__touched_verdict_windows') }}
),

drift as (
    select drift.*
    from {{ ref('fct_mlmon__drift') }} as drift
    inner join touched
        on drift.window_key = touched.window_key
),

missing_shares as (
    select
        window_key,
        span_windows,
        segment_name,
        segment_value,
        column_name,
        sum(case when bin_kind = 'missing' then current_count else 0 end)
        / nullif(cast(sum(current_count) as {{ mlmon.type_double() }}), 0)
        - sum(case when bin_kind = 'missing' then reference_count else 0 end)
        / nullif(cast(sum(reference_count) as {{ mlmon.type_double() }}), 0)
            as missing_change
    from {{ ref('int_mlmon__compared_shares') }}
    group by window_key, span_windows, segment_name, segment_value, column_name
),

ranked as (
    select
        drift.*,
        row_number() over (
            partition by
                window_key, span_windows, segment_name, segment_value, column_key
            order by status_rank desc, method desc
        ) as verdict_rank
    from drift
    where is_deciding
),

values_by_column as (
    select
        window_key,
        span_windows,
        segment_name,
        segment_value,
        column_key,
        max(case when method = 'psi' then value end) as psi,
        max(case when method = 'js_distance' then value end) as js_distance
    from drift
    group by window_key, span_windows, segment_name, segment_value, column_key
),

totals as (
    select
        values_by_column.*,
        ranked.column_role,
        sum(case when ranked.column_role = 'feature' then values_by_column.psi end) over (
            partition by
                values_by_column.window_key, values_by_column.span_windows,
                values_by_column.segment_name, values_by_column.segment_value
        ) as total_psi,
        rank() over (
            partition by
                values_by_column.window_key, values_by_column.span_windows,
                values_by_column.segment_name, values_by_column.segment_value,
                case when ranked.column_role = 'feature' then 0 else 1 end
            order by {{ mlmon.rounded('values_by_column.psi') }} desc nulls last
        ) as psi_rank
    from values_by_column
    inner join ranked
        on
            values_by_column.window_key = ranked.window_key
            and values_by_column.span_windows = ranked.span_windows
            and values_by_column.segment_name = ranked.segment_name
            and values_by_column.segment_value = ranked.segment_value
            and values_by_column.column_key = ranked.column_key
            and ranked.verdict_rank = 1
)

select
    ranked.window_key,
    {{ mlmon.window_columns('ranked') }},
    ranked.segment_name,
    ranked.segment_value,
    ranked.column_key,
    ranked.column_name,
    ranked.column_role,
    ranked.column_kind,
    ranked.method as deciding_method,
    totals.psi,
    totals.js_distance,
    cast(null as {{ mlmon.type_double() }}) as ks,
    cast(null as {{ mlmon.type_double() }}) as wasserstein_normed,
    missing_shares.missing_change,
    ranked.adjusted_p_value,
    ranked.threshold_warning,
    ranked.threshold_critical,
    case
        when ranked.column_role = 'feature' then totals.psi / nullif(totals.total_psi, 0)
    end as psi_share,
    case
        when ranked.column_role = 'feature' then cast(totals.psi_rank as integer)
    end as psi_rank,
    ranked.n_reference,
    ranked.n_current,
    ranked.reference_hash,
    ranked.status,
    ranked.status_rank,
    ranked.reason_code,
    {{ mlmon.drift_reason('ranked') }} as reason
from ranked
inner join totals
    on
        ranked.window_key = totals.window_key
        and ranked.span_windows = totals.span_windows
        and ranked.segment_name = totals.segment_name
        and ranked.segment_value = totals.segment_value
        and ranked.column_key = totals.column_key
left join missing_shares
    on
        ranked.window_key = missing_shares.window_key
        and ranked.span_windows = missing_shares.span_windows
        and ranked.segment_name = missing_shares.segment_name
        and ranked.segment_value = missing_shares.segment_value
        and ranked.column_name = missing_shares.column_name
where ranked.verdict_rank = 1
