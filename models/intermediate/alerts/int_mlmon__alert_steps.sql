-- One row per alert series and closed window at which it fires, or which is the newest
-- that could be judged: what its episodes and its state of now are told by. An alert
-- fires after for_windows breaches in a row and stops after resolve_windows without one;
-- a window without a judgement changes nothing. Critical is the same rule applied to
-- critical breaches.
{{ config(materialized='table') }}
{%- set so_far = "partition by series_id order by window_end
            rows between unbounded preceding and current row" %}
{%- set levels = {'firing': "('warning', 'critical')", 'critical': "('critical')"} %}

with

evaluations as (
    select * from {{ ref('fct_mlmon__alert_evaluations') }}
),

rules as (
    select * from {{ ref('int_mlmon__alert_rules') }}
    where is_valid
),

-- Steps count the judged windows; one that is not judged stays on the step before.
numbered as (
    select
        evaluations.*,
        rules.for_windows,
        rules.resolve_windows,
        cast(
            sum(case when evaluations.is_breached is null then 0 else 1 end) over (
                {{ so_far }}
            ) as bigint
        ) as step
    from evaluations
    inner join rules
        on evaluations.rule_version = rules.rule_version
),

-- The last step of the other kind ends a run of breaches, or of windows without one.
runs as (
    select
        numbered.*,
        {%- for level, severities in levels.items() %}
        coalesce(max(case when severity in {{ severities }} then step end) over (
            {{ so_far }}
        ), 0) as last_{{ level }}_breach,
        coalesce(max(
            case
                when is_breached is not null and severity not in {{ severities }}
                    then step
            end
        ) over (
            {{ so_far }}
        ), 0) as last_{{ level }}_pass
        {{- ',' if not loop.last }}
        {%- endfor %}
    from numbered
),

turns as (
    select
        runs.*,
        {%- for level in levels %}
        coalesce(max(
            case when step - last_{{ level }}_pass >= for_windows then step end
        ) over (
            {{ so_far }}
        ), 0) as last_{{ level }}_set,
        coalesce(max(
            case when step - last_{{ level }}_breach >= resolve_windows then step end
        ) over (
            {{ so_far }}
        ), 0) as last_{{ level }}_reset,
        {%- endfor %}
        min(case when is_breached then window_end end) over (
            partition by series_id, last_firing_pass
        ) as breached_since
    from runs
),

states as (
    select
        turns.*,
        step - last_firing_pass as n_breached,
        last_firing_set > last_firing_reset as is_firing,
        last_critical_set > last_critical_reset as is_critical
    from turns
),

changes as (
    select
        states.*,
        is_firing and not lag(is_firing, 1, false) over (
            partition by series_id
            order by window_end
        ) as has_fired
    from states
),

fired as (
    select
        changes.*,
        max(case when has_fired then window_end end) over ({{ so_far }})
            as last_fired_at,
        max(case when has_fired then breached_since end) over ({{ so_far }})
            as last_fired_since
    from changes
),

-- An episode ends at the first window after which the alert no longer fires.
ended as (
    select
        fired.*,
        case
            when last_fired_at is not null
                then min(case when not is_firing then window_end end) over (
                    partition by series_id, last_fired_at
                )
        end as resolved_at,
        max(window_end) over (partition by series_id) as last_window_end,
        max(step) over (partition by series_id) as n_judged,
        row_number() over (
            partition by series_id
            order by case when is_breached is null then 1 else 0 end, window_end desc
        ) as newness
    from fired
)

select * from ended
where is_firing or newness = 1
