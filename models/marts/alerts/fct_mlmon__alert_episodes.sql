-- One row per alert series and time that it fired: from the first breach of the run that
-- made it fire to the window after which it was over, with the worst value in between.
with

steps as (
    select
        steps.*,
        -- How far beyond its limit a value lies, whichever side that is on.
        case
            when value > threshold_high then value - threshold_high
            when value < threshold_low then threshold_low - value
            else 0
        end as excess
    from {{ ref('int_mlmon__alert_steps') }} as steps
    where last_fired_at is not null
),

-- The first window after which it no longer fires.
ends as (
    select
        series_id,
        last_fired_at as fired_at,
        min(window_end) as resolved_at
    from steps
    where not is_firing
    group by series_id, last_fired_at
),

-- Of an episode what counts is what came before its end, and the breaches that made it fire.
firing as (
    select
        steps.*,
        row_number() over (
            partition by series_id, last_fired_at
            order by
                case severity when 'critical' then 2 when 'warning' then 1 else 0 end desc,
                excess desc,
                window_end
        ) as badness,
        max(case when is_critical then 1 else 0 end) over (
            partition by series_id, last_fired_at
        ) as was_critical,
        count(*) over (partition by series_id, last_fired_at) as n_windows,
        count(case when is_breached then 1 end) over (
            partition by series_id, last_fired_at
        ) as n_breached_windows
    from steps
    where is_firing
)

select
    md5(
        firing.series_id || '|' || cast(firing.last_fired_at as {{ dbt.type_string() }})
    ) as episode_id,
    firing.series_id,
    firing.rule_id,
    firing.rule_name,
    firing.rule_version,
    firing.monitor_key,
    firing.monitor,
    firing.model_version,
    firing.segment_name,
    firing.segment_value,
    firing.column_key,
    firing.column_name,
    firing.column_role,
    firing.metric,
    firing.measure,
    firing.class_label,
    firing.label_age,
    firing.span_windows,
    case when firing.was_critical = 1 then 'critical' else 'warning' end as severity,
    firing.last_fired_since as since_window_end,
    firing.last_fired_at as fired_at,
    ends.resolved_at,
    ends.resolved_at is null as is_open,
    cast(firing.n_windows as bigint) as n_windows,
    cast(firing.n_breached_windows as bigint) as n_breached,
    firing.value as peak_value,
    firing.threshold_low,
    firing.threshold_high,
    firing.condition,
    firing.n,
    firing.window_end
from firing
left join ends
    on
        firing.series_id = ends.series_id
        and firing.last_fired_at = ends.fired_at
where firing.badness = 1
