-- One row per alert series: what should be known of it now. Told by its newest window
-- that could be judged; a series that never could be is ok and says so. The table knows no clock:
-- it says from when on a state is old news and the log behind it silent, whatever time it is.
with

evaluations as (
    select
        evaluations.*,
        max(window_end) over (partition by series_id) as last_window_end,
        count(is_breached) over (partition by series_id) as n_judged,
        row_number() over (
            partition by series_id
            order by case when is_breached is null then 1 else 0 end, window_end desc
        ) as newness
    from {{ ref('fct_mlmon__alert_evaluations') }} as evaluations
),

newest as (
    select * from evaluations
    where newness = 1
),

rules as (
    select * from {{ ref('int_mlmon__alert_rules') }}
    where is_valid
),

runbooks as (
    select
        runbook,
        max(url) as url,
        max(immediate_action) as immediate_action
    from {{ mlmon.seed_relation('runbooks') }}
    group by runbook
),

monitors as (
    select * from {{ ref('dim_mlmon__monitors') }}
),

of_all_versions as (
    select
        monitor,
        max(owner) as owner,
        max(data_through_at) as data_through_at
    from monitors
    group by monitor
),

arrivals as (
    select
        monitor,
        max(last_loaded_at) as last_arrival_at
    from {{ ref('fct_mlmon__windows') }}
    group by monitor
),

joined as (
    select
        newest.*,
        rules.for_windows,
        rules.inhibited_by,
        rules.channels,
        rules.runbook,
        rules.cooldown_minutes,
        rules.repeat_minutes,
        rules.no_data_minutes,
        rules.max_age_minutes,
        runbooks.url as runbook_url,
        runbooks.immediate_action,
        case
            when rules.owner <> '' then rules.owner
            else coalesce(of_all_versions.owner, '')
        end as owner,
        -- A rule on 'all' versions is about the monitor, which is never retired.
        coalesce(
            monitors.is_current_version, newest.model_version = 'all'
        ) as is_current_version,
        coalesce(monitors.is_active, newest.model_version = 'all') as is_active,
        of_all_versions.data_through_at,
        coalesce(arrivals.last_arrival_at, of_all_versions.data_through_at) as last_arrival_at,
        -- Labels are waited for: a state at a label age is as new as the day they were due.
        {{ mlmon.add_time('newest.window_end', mlmon.label_age_days('newest.label_age'), 'day') }}
            as due_at
    from newest
    inner join rules
        on newest.rule_version = rules.rule_version
    left join runbooks
        on rules.runbook = runbooks.runbook
    left join of_all_versions
        on newest.monitor = of_all_versions.monitor
    left join arrivals
        on newest.monitor = arrivals.monitor
    left join monitors
        on newest.monitor_key = monitors.monitor_key
),

known as (
    select
        joined.*,
        case when data_through_at < due_at then data_through_at else due_at end
            as known_until_at
    from joined
)

select
    series_id,
    rule_id,
    rule_name,
    rule_version,
    monitor_key,
    monitor,
    model_version,
    is_current_version,
    is_active,
    segment_name,
    segment_value,
    column_key,
    column_name,
    column_role,
    metric,
    measure,
    class_label,
    label_age,
    span_windows,
    state,
    state_severity as severity,
    value,
    threshold_low,
    threshold_high,
    condition,
    n,
    status,
    reason_code,
    window_start,
    window_end,
    window_date,
    last_window_end,
    fired_at,
    since_window_end,
    n_breached,
    cast(n_judged as bigint) as n_judged,
    {{ mlmon.alert_reason() | indent(4) }} as reason,
    immediate_action,
    runbook,
    runbook_url,
    channels,
    owner,
    inhibited_by,
    cooldown_minutes,
    repeat_minutes,
    no_data_minutes,
    max_age_minutes,
    known_until_at,
    last_arrival_at,
    case
        when max_age_minutes > 0
            then {{ mlmon.add_time('known_until_at', 'max_age_minutes', 'minute') }}
    end as stale_at,
    case
        when no_data_minutes > 0
            then {{ mlmon.add_time('last_arrival_at', 'no_data_minutes', 'minute') }}
    end as no_data_at
from known
