-- One row per monitor and column of a log that runs found changed: at the window that was the newest when a run noticed,
-- and that nothing has changed since at the newest of today.
{{ config(materialized='view') }}
{%- set text = dbt.type_string() %}

with

windows as (
    select
        windows.*,
        row_number() over (partition by monitor order by window_index desc) as window_rank
    from {{ ref('int_mlmon__version_windows') }} as windows
    where model_version = 'all' and is_closed
),

-- Of several changes within a window the last counts.
history as (
    select
        history.*,
        cast(case when log_name = 'labels' then 'label' else 'table' end as {{ text }})
            as column_role,
        case when change = 'vanished' then 0.0 else 1.0 end as value,
        row_number() over (
            partition by monitor, log_name, column_name, noticed_index
            order by change_number desc
        ) as recency_in_window,
        row_number() over (
            partition by monitor, log_name, column_name
            order by change_number desc
        ) as recency
    from {{ ref('int_mlmon__schema_history') }} as history
    where change <> 'first_seen'
),

changed_columns as (
    select
        monitor,
        noticed_index as window_index,
        column_name,
        column_role,
        value,
        case
            when change = 'vanished' then 'column_vanished'
            when change = 'appeared' then 'column_appeared'
            when type_family <> previous_family then 'column_type_changed'
            else 'within_limits'
        end as reason_code,
        case
            when change = 'vanished' then 'The log of ' || log_name || ' has lost this column.'
            when change = 'appeared' then 'The log of ' || log_name || ' has this column now.'
            when type_family <> previous_family
                then 'The column is ' || type_family || ' now; it was ' || previous_family || '.'
            else 'The column is of type ' || data_type || ' now; it was ' || previous_type || '.'
        end as found
    from history
    where recency_in_window = 1
),

-- A change is told once: after it the column is as it was in the run before.
settled_columns as (
    select
        history.monitor,
        windows.window_index,
        history.column_name,
        history.column_role,
        history.value,
        'within_limits' as reason_code,
        'Nothing has changed since ' || cast(noticed.window_date as {{ text }}) || '.' as found
    from history
    inner join windows
        on
            history.monitor = windows.monitor
            and windows.window_rank = 1
            and windows.window_index > history.noticed_index
    inner join windows as noticed
        on
            history.monitor = noticed.monitor
            and history.noticed_index = noticed.window_index
    where history.recency = 1
)

select * from changed_columns
union all
select * from settled_columns
