-- One row per monitor, closed base window and check on the logs as a whole: duplicates, conflicting labels,
-- freshness and volume. Judged over all versions together, so that a rollout is no incident.
{%- set limits = mlmon.quality_limits() %}

with

windows as (
    select windows.*
    from {{ ref('int_mlmon__version_windows') }} as windows
    where model_version = 'all' and is_closed
),

settings as (
    select * from {{ ref('int_mlmon__settings') }}
),

load_lags as (
    select
        monitor,
        model_version,
        window_index,
        max({{ mlmon.microseconds('last_loaded_at') }}) as last_loaded,
        max({{ mlmon.microseconds('last_predicted_at') }}) as last_predicted
    from {{ ref('int_mlmon__windows') }}
    where n_predictions > 0
    group by monitor, model_version, window_index
),

lags as (
    select
        monitor,
        window_index,
        cast(max(last_loaded) - max(last_predicted) as {{ mlmon.type_double() }}) / 1000000
            as lag_seconds
    from load_lags
    group by monitor, window_index
),

usual_lags as (
    select
        lags.monitor,
        lags.window_index,
        percentile_cont(0.5) within group (order by earlier.lag_seconds) as usual_lag_seconds
    from lags
    inner join lags as earlier
        on
            lags.monitor = earlier.monitor
            and earlier.window_index between lags.window_index - 28 and lags.window_index - 1
    group by lags.monitor, lags.window_index
    having count(*) >= 5
),

checks as (
    select
        windows.monitor,
        windows.window_index,
        cast('duplicates' as {{ dbt.type_string() }}) as check_name,
        cast('consistency' as {{ dbt.type_string() }}) as check_group,
        cast(windows.n_duplicates as {{ mlmon.type_double() }})
        / nullif(windows.n_log_rows, 0) as value,
        cast(null as {{ mlmon.type_double() }}) as reference_value,
        cast({{ limits.duplicates.warning }} as {{ mlmon.type_double() }}) as warning,
        cast({{ limits.duplicates.critical }} as {{ mlmon.type_double() }}) as critical,
        windows.n_log_rows as n_checked,
        windows.n_duplicates as n_failed
    from windows

    union all

    select
        windows.monitor,
        windows.window_index,
        cast('label_conflicts' as {{ dbt.type_string() }}) as check_name,
        cast('consistency' as {{ dbt.type_string() }}) as check_group,
        cast(windows.n_label_revisions as {{ mlmon.type_double() }})
        / nullif(windows.n_labelled, 0) as value,
        cast(null as {{ mlmon.type_double() }}) as reference_value,
        cast({{ limits.label_conflicts.warning }} as {{ mlmon.type_double() }}) as warning,
        cast({{ limits.label_conflicts.critical }} as {{ mlmon.type_double() }}) as critical,
        windows.n_labelled as n_checked,
        windows.n_label_revisions as n_failed
    from windows
    where windows.has_labels

    union all

    select
        windows.monitor,
        windows.window_index,
        cast('freshness' as {{ dbt.type_string() }}) as check_name,
        cast('freshness' as {{ dbt.type_string() }}) as check_group,
        lags.lag_seconds as value,
        usual_lags.usual_lag_seconds as reference_value,
        -- Never stricter than the time a window is given before it closes.
        {{ limits.freshness.warning }}
        * greatest(usual_lags.usual_lag_seconds, 60 * settings.close_after_minutes) as warning,
        {{ limits.freshness.critical }}
        * greatest(usual_lags.usual_lag_seconds, 60 * settings.close_after_minutes) as critical,
        windows.n_predictions as n_checked,
        windows.n_late_rows as n_failed
    from windows
    inner join settings
        on windows.monitor = settings.monitor
    inner join lags
        on
            windows.monitor = lags.monitor
            and windows.window_index = lags.window_index
    left join usual_lags
        on
            windows.monitor = usual_lags.monitor
            and windows.window_index = usual_lags.window_index
)

select
    windows.monitor_key,
    windows.monitor,
    windows.model_version,
    windows.window_start,
    windows.window_end,
    windows.window_date,
    checks.check_name,
    checks.check_group,
    checks.value,
    checks.reference_value,
    cast(null as {{ mlmon.type_double() }}) as expected_low,
    checks.warning as expected_high,
    checks.n_checked,
    checks.n_failed,
    case
        when checks.n_checked = 0 then 'no_rows'
        when checks.warning is null then 'short_history'
        when checks.check_name <> 'freshness' and checks.n_failed < 3 then 'within_limits'
        when {{ mlmon.reaches('checks.value', 'checks.critical') }} then 'above_critical'
        when {{ mlmon.reaches('checks.value', 'checks.warning') }} then 'above_warning'
        else 'within_limits'
    end as reason_code
from checks
inner join windows
    on
        checks.monitor = windows.monitor
        and checks.window_index = windows.window_index
