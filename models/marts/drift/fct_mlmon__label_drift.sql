-- One row per monitor with labels, version, closed window end, span and drift method: the labels at
-- the horizon against the reference's, and what that was judged by. It is apart from
-- fct_mlmon__drift, whose rows do not change when labels come.
with

spans as (
    select
        spans.*,
        covered.label_age,
        settings.label_kind,
        settings.smoothing,
        covered.label_coverage,
        covered.expected_label_coverage,
        covered.readiness,
        case
            when settings.label_kind = 'categorical'
                then md5(
                    spans.monitor || '|label|class|' || coalesce(spans.fixed_reference_hash, '')
                )
            else md5('label|' || spans.fixed_reference_hash)
        end as bin_spec_id
    from {{ ref('int_mlmon__spans') }} as spans
    inner join ({{ mlmon.label_settings() }}) as settings
        on spans.monitor = settings.monitor
    inner join {{ ref('int_mlmon__span_coverage') }} as covered
        on
            spans.monitor_key = covered.monitor_key
            and spans.window_index = covered.window_index
            and spans.span_windows = covered.span_windows
            and covered.is_horizon
            and covered.segment_name = 'all'
),

methods as (
    select * from {{ ref('int_mlmon__label_drift_statistics') }}
),

thresholds as (
    select * from {{ ref('int_mlmon__drift_thresholds') }}
    where column_name = 'label'
),

shown_methods as (
    select distinct
        window_key,
        span_windows,
        method
    from methods

    union

    select
        spans.window_key,
        spans.span_windows,
        thresholds.method
    from spans
    inner join thresholds
        on
            spans.monitor = thresholds.monitor
            and spans.span_windows = thresholds.span_windows
    where thresholds.is_deciding
),

compared as (
    select
        spans.*,
        shown_methods.method,
        methods.value,
        methods.p_value,
        methods.p_value_method,
        methods.min_detectable_effect,
        thresholds.warning as threshold_warning,
        thresholds.critical as threshold_critical,
        coalesce(thresholds.is_deciding, false) as is_deciding,
        coalesce(methods.n_reference, 0) as n_in_reference,
        coalesce(methods.n_current, 0) as n_current
    from shown_methods
    inner join spans
        on
            shown_methods.window_key = spans.window_key
            and shown_methods.span_windows = spans.span_windows
    left join methods
        on
            shown_methods.window_key = methods.window_key
            and shown_methods.span_windows = methods.span_windows
            and shown_methods.method = methods.method
    left join thresholds
        on
            spans.monitor = thresholds.monitor
            and shown_methods.span_windows = thresholds.span_windows
            and shown_methods.method = thresholds.method
    where methods.value is not null or thresholds.is_deciding
),

judged as (
    select
        compared.*,
        case
            when not is_deciding then 'not_deciding'
            when n_in_reference = 0 then 'no_reference'
            when readiness <> 'ready' then readiness
            when not is_judged then 'short_span'
            when n_current = 0 then 'no_labels'
            when value is null then 'undefined'
            when threshold_warning is null then 'no_threshold'
            when
                {{ mlmon.reaches('value', 'threshold_critical') }}
                and p_value < 0.01 * (1 - 1e-12)
                then 'above_critical'
            when
                {{ mlmon.reaches('value', 'threshold_warning') }}
                and p_value < 0.01 * (1 - 1e-12)
                then 'above_warning'
            when min_detectable_effect > threshold_warning * (1 + 1e-12) then 'sample_too_small'
            when {{ mlmon.reaches('value', 'threshold_warning') }} then 'could_be_chance'
            else 'within_threshold'
        end as reason_code
    from compared
),

rated as (
    select
        judged.*,
        case
            when reason_code = 'not_deciding' then 'not_judged'
            when reason_code = 'no_reference' then 'no_reference'
            when reason_code = 'above_critical' then 'critical'
            when reason_code = 'above_warning' then 'warning'
            when reason_code in ('could_be_chance', 'within_threshold') then 'ok'
            else 'insufficient_data'
        end as status
    from judged
)

select
    rated.window_key,
    {{ mlmon.window_columns('rated') }},
    cast('all' as {{ dbt.type_string() }}) as segment_name,
    cast('all' as {{ dbt.type_string() }}) as segment_value,
    {{ mlmon.column_key('rated.monitor', "'label'", "'label'") }} as column_key,
    cast('label' as {{ dbt.type_string() }}) as column_name,
    cast('label' as {{ dbt.type_string() }}) as column_role,
    rated.label_kind as column_kind,
    rated.method,
    rated.label_age,
    rated.value,
    rated.p_value,
    rated.p_value as adjusted_p_value,
    case when rated.p_value is not null then rated.p_value_method end as p_value_method,
    rated.threshold_warning,
    rated.threshold_critical,
    case when rated.threshold_warning is not null then 'fixed' end as threshold_source,
    rated.min_detectable_effect,
    cast(rated.n_in_reference as bigint) as n_reference,
    cast(rated.n_current as bigint) as n_current,
    rated.label_coverage,
    rated.bin_spec_id,
    rated.smoothing,
    rated.fixed_reference_hash as reference_hash,
    rated.is_deciding,
    rated.status,
    {{ mlmon.status_rank('rated.status') }} as status_rank,
    rated.reason_code,
    {{ mlmon.label_drift_reason('rated') }} as reason
from rated
