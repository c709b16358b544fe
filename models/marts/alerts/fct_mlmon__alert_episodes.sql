-- One row per alert series and time that it fired: from the first breach of the run that
-- made it fire to the window after which it was over, with the worst value in between.
with

evaluations as (
    select
        evaluations.*,
        lead(state, 1) over (partition by series_id order by window_end) as next_state,
        lead(window_end, 1) over (partition by series_id order by window_end) as next_window_end
    from {{ ref('fct_mlmon__alert_evaluations') }} as evaluations
),

-- An episode ends at the first window after which the alert no longer fires.
firing as (
    select
        evaluations.*,
        case when next_state <> 'firing' then next_window_end end as over_at,
        -- How far beyond its limit a value lies, whichever side that is on.
        case
            when value > threshold_high then value - threshold_high
            when value < threshold_low then threshold_low - value
            else 0
        end as excess
    from evaluations
    where state = 'firing'
),

-- Of an episode what counts is what came before its end, and the breaches that made it fire.
episodes as (
    select
        firing.*,
        row_number() over (
            partition by series_id, fired_at
            order by
                case severity when 'critical' then 2 when 'warning' then 1 else 0 end desc,
                excess desc,
                window_end
        ) as badness,
        max(over_at) over (partition by series_id, fired_at) as resolved_at,
        max(case when state_severity = 'critical' then 1 else 0 end) over (
            partition by series_id, fired_at
        ) as was_critical,
        count(*) over (partition by series_id, fired_at) as n_windows,
        count(case when is_breached then 1 end) over (
            partition by series_id, fired_at
        ) as n_breached_windows
    from firing
)

select
    md5(series_id || '|' || cast(fired_at as {{ dbt.type_string() }}))
        as episode_id,
    series_id,
    rule_id,
    rule_name,
    rule_version,
    monitor_key,
    monitor,
    model_version,
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
    case when was_critical = 1 then 'critical' else 'warning' end as severity,
    since_window_end,
    fired_at,
    resolved_at,
    resolved_at is null as is_open,
    cast(n_windows as bigint) as n_windows,
    cast(n_breached_windows as bigint) as n_breached,
    value as peak_value,
    threshold_low,
    threshold_high,
    condition,
    n,
    window_end
from episodes
where badness = 1
