-- One row per monitor, closed base window and check on the logs as a whole: duplicates, conflicting labels,
-- freshness (rows loaded after their window had closed, against the usual share of such rows). Judged over all
-- versions together, so that a rollout is no incident.
{%- set limits = mlmon.quality_limits() %}

with

windows as (
    select windows.*
    from {{ ref('int_mlmon__version_windows') }} as windows
    where model_version = 'all' and is_closed
),

late_shares as (
    select
        monitor,
        window_index,
        cast(n_late_rows as {{ mlmon.type_double() }}) / n_log_rows as late_share
    from windows
    where n_log_rows > 0
),

usual_shares as (
    select
        late_shares.monitor,
        late_shares.window_index,
        percentile_cont(0.5) within group (order by earlier.late_share) as usual_late_share
    from late_shares
    inner join late_shares as earlier
        on
            late_shares.monitor = earlier.monitor
            and earlier.window_index
            between late_shares.window_index - 28 and late_shares.window_index - 1
    group by late_shares.monitor, late_shares.window_index
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
        late_shares.late_share as value,
        usual_shares.usual_late_share as reference_value,
        usual_shares.usual_late_share + {{ limits.freshness.warning }} as warning,
        usual_shares.usual_late_share + {{ limits.freshness.critical }} as critical,
        windows.n_log_rows as n_checked,
        windows.n_late_rows as n_failed
    from windows
    left join late_shares
        on
            windows.monitor = late_shares.monitor
            and windows.window_index = late_shares.window_index
    left join usual_shares
        on
            windows.monitor = usual_shares.monitor
            and windows.window_index = usual_shares.window_index
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
        when checks.n_failed < 3 then 'within_limits'
        when {{ mlmon.reaches('checks.value', 'checks.critical') }} then 'above_critical'
        when {{ mlmon.reaches('checks.value', 'checks.warning') }} then 'above_warning'
        else 'within_limits'
    end as reason_code
from checks
inner join windows
    on
        checks.monitor = windows.monitor
        and checks.window_index = windows.window_index
