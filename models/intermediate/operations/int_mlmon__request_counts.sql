-- One row per monitor, closed base window and segment value seen so far: how many requests, 0 where there were none.
with

windows as (
    select * from {{ ref('int_mlmon__version_windows') }}
    where model_version = 'all' and is_closed
),

requests as (
    select
        monitor,
        window_index,
        segment_name,
        segment_value,
        sum(n_requests) as n_requests
    from {{ ref('int_mlmon__operation_sums') }}
    group by monitor, window_index, segment_name, segment_value
),

segment_values as (
    select
        monitor,
        segment_name,
        segment_value,
        min(window_index) as first_index
    from requests
    group by monitor, segment_name, segment_value
),

counted as (
    select
        windows.monitor_key,
        windows.monitor,
        windows.model_version,
        windows.window_index,
        windows.window_start,
        windows.window_end,
        windows.window_date,
        segment_values.segment_name,
        segment_values.segment_value,
        cast(coalesce(requests.n_requests, 0) as {{ mlmon.type_double() }}) as n_requests
    from windows
    inner join segment_values
        on
            windows.monitor = segment_values.monitor
            and windows.window_index >= segment_values.first_index
    left join requests
        on
            windows.monitor = requests.monitor
            and windows.window_index = requests.window_index
            and segment_values.segment_name = requests.segment_name
            and segment_values.segment_value = requests.segment_value
)

select * from counted
