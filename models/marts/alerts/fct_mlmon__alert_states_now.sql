-- One row per alert series: how old its state is by now and whether the log behind it has gone
-- silent, as the dispatcher judges it. The only model that reads a clock, so a view: its
-- rows change while the tables stay. A replay (mlmon_as_of) has its own time for a clock.
{{ config(materialized='view') }}
{%- set now = mlmon.timestamp_literal(mlmon.as_of()) if mlmon.as_of() else mlmon.utc_now() %}

with

states as (
    select * from {{ ref('fct_mlmon__alert_states') }}
),

monitors as (
    select
        monitor,
        max(data_through_at) as data_through_at
    from {{ ref('dim_mlmon__monitors') }}
    group by monitor
),

arrivals as (
    select
        monitor,
        max(last_loaded_at) as last_arrival_at
    from {{ ref('fct_mlmon__windows') }}
    group by monitor
),

-- Labels are waited for: a state at a label age is as new as the day they were due.
due as (
    select
        states.*,
        monitors.data_through_at,
        coalesce(arrivals.last_arrival_at, monitors.data_through_at) as last_arrival_at,
        {{ now }} as judged_at,
        {{ mlmon.add_time('states.window_end', mlmon.label_age_days('label_age'), 'day') }}
            as due_at
    from states
    left join monitors
        on states.monitor = monitors.monitor
    left join arrivals
        on states.monitor = arrivals.monitor
),

known as (
    select
        due.*,
        case when data_through_at < due_at then data_through_at else due_at end
            as known_until_at
    from due
)

select
    series_id,
    rule_id,
    monitor_key,
    monitor,
    model_version,
    is_active,
    segment_name,
    segment_value,
    column_name,
    metric,
    class_label,
    label_age,
    span_windows,
    state,
    severity,
    window_end,
    judged_at,
    known_until_at,
    last_arrival_at,
    max_age_minutes,
    no_data_minutes,
    coalesce(
        max_age_minutes > 0
        and judged_at > {{ mlmon.add_time('known_until_at', 'max_age_minutes', 'minute') }},
        false
    ) as is_stale,
    coalesce(
        no_data_minutes > 0
        and judged_at > {{ mlmon.add_time('last_arrival_at', 'no_data_minutes', 'minute') }},
        false
    ) as is_no_data
from known
