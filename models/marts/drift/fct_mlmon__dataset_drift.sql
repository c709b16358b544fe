-- One row per monitor, version, closed window end, span and segment: how many of its features
-- drifted, and the verdict on that. It counts rows of fct_mlmon__column_drift.
with

column_drift as (
    select * from {{ ref('fct_mlmon__column_drift') }}
),

counted as (
    select
        window_key,
        span_windows,
        segment_name,
        segment_value,
        max(monitor_key) as monitor_key,
        max(monitor) as monitor,
        max(model_version) as model_version,
        max(window_start) as window_start,
        max(window_end) as window_end,
        max(window_date) as window_date,
        max(reference_hash) as reference_hash,
        max(case when is_verdict then 1 else 0 end) = 1 as is_verdict,
        sum(case when column_role = 'feature' then 1 else 0 end) as n_columns,
        sum(
            case
                when column_role = 'feature' and status in ('ok', 'warning', 'critical') then 1
                else 0
            end
        ) as n_judged,
        sum(
            case
                when column_role = 'feature' and status in ('warning', 'critical') then 1
                else 0
            end
        ) as n_drifted,
        sum(
            case
                when column_role = 'feature' and status = 'insufficient_data' then 1 else 0
            end
        ) as n_insufficient,
        sum(case when status = 'no_reference' then 1 else 0 end) as n_without_reference,
        max(case when column_role = 'score' then psi end) as score_psi,
        max(case when column_role = 'score' then ks end) as score_ks,
        max(case when column_role = 'prediction' then psi end) as prediction_psi,
        max(case when column_role = 'prediction' then status end) as prediction_status
    from column_drift
    group by window_key, span_windows, segment_name, segment_value
),

top_columns as (
    select
        column_drift.*,
        row_number() over (
            partition by window_key, span_windows, segment_name, segment_value
            order by psi_rank, column_name
        ) as column_rank
    from column_drift
    where column_role = 'feature' and psi is not null
),

shared as (
    select
        counted.*,
        cast(n_drifted as {{ mlmon.type_double() }}) / nullif(n_judged, 0) as drift_share
    from counted
),

judged as (
    select
        shared.*,
        case
            when n_columns = 0 then 'no_features'
            when n_without_reference > 0 and n_judged = 0 then 'no_reference'
            when n_judged = 0 then 'nothing_judged'
            when {{ mlmon.reaches('drift_share', '0.3') }} then 'above_critical'
            when {{ mlmon.reaches('drift_share', '0.1') }} then 'above_warning'
            else 'within_threshold'
        end as reason_code
    from shared
),

rated as (
    select
        judged.*,
        case reason_code
            when 'no_features' then 'not_judged'
            when 'no_reference' then 'no_reference'
            when 'nothing_judged' then 'insufficient_data'
            when 'above_critical' then 'critical'
            when 'above_warning' then 'warning'
            else 'ok'
        end as status
    from judged
)

select
    {{ mlmon.window_columns('rated') }},
    rated.segment_name,
    rated.segment_value,
    cast(rated.n_columns as bigint) as n_columns,
    cast(rated.n_judged as bigint) as n_judged,
    cast(rated.n_drifted as bigint) as n_drifted,
    cast(rated.n_insufficient as bigint) as n_insufficient,
    rated.drift_share,
    coalesce({{ mlmon.reaches('rated.drift_share', '0.5') }}, false) as is_dataset_drift,
    cast(0.1 as {{ mlmon.type_double() }}) as threshold_warning,
    cast(0.3 as {{ mlmon.type_double() }}) as threshold_critical,
    top_columns.column_name as top_column_name,
    top_columns.psi as top_column_psi,
    top_columns.psi_share as top_column_psi_share,
    rated.score_psi,
    rated.score_ks,
    rated.prediction_psi,
    label_drift.value as label_psi,
    rated.prediction_status,
    rated.reference_hash,
    rated.is_verdict,
    rated.status,
    {{ mlmon.status_rank('rated.status') }} as status_rank,
    rated.reason_code,
    case
        when rated.n_judged > 0
            then
                cast(rated.n_drifted as {{ dbt.type_string() }}) || ' of '
                || cast(rated.n_judged as {{ dbt.type_string() }})
                || ' judged features drifted'
                || coalesce('; most: ' || top_columns.column_name, '') || '.'
        when rated.reason_code = 'no_features' then 'This monitor has no features.'
        when rated.reason_code = 'no_reference' then 'There is no reference to compare with.'
        else 'No feature had enough data to be judged.'
    end as reason
from rated
left join top_columns
    on
        rated.window_key = top_columns.window_key
        and rated.span_windows = top_columns.span_windows
        and rated.segment_name = top_columns.segment_name
        and rated.segment_value = top_columns.segment_value
        and top_columns.column_rank = 1
left join {{ ref('fct_mlmon__label_drift') }} as label_drift
    on
        rated.monitor_key = label_drift.monitor_key
        and rated.window_end = label_drift.window_end
        and rated.span_windows = label_drift.span_windows
        and rated.segment_name = label_drift.segment_name
        and rated.segment_value = label_drift.segment_value
        and label_drift.method = 'psi'
