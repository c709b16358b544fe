-- One row per monitor, closed base window and segment: how many requests there were against the same weekday (and
-- hour) of the four weeks before. The distance is a robust z: from the peers' median, in units of their median
-- absolute deviation, with floors, so that a quiet log is not judged by its noise. No window is its own peer.
{%- set limits = mlmon.quality_limits() %}

with

settings as (
    select * from {{ ref('int_mlmon__settings') }}
),

counted as (
    select * from {{ ref('int_mlmon__request_counts') }}
),

peers as (
    select
        counted.monitor,
        counted.window_index,
        counted.segment_name,
        counted.segment_value,
        earlier.n_requests
    from counted
    inner join settings
        on counted.monitor = settings.monitor
    cross join ({{ mlmon.integers(4) }}) as weeks
    inner join counted as earlier
        on
            counted.monitor = earlier.monitor
            and counted.segment_name = earlier.segment_name
            and counted.segment_value = earlier.segment_value
            and earlier.window_index
            = counted.window_index - weeks.i * 7 * settings.windows_per_day
    where weeks.i > 0
),

medians as (
    select
        monitor,
        window_index,
        segment_name,
        segment_value,
        count(*) as n_peers,
        percentile_cont(0.5) within group (order by n_requests) as median_requests
    from peers
    group by monitor, window_index, segment_name, segment_value
),

deviations as (
    select
        peers.monitor,
        peers.window_index,
        peers.segment_name,
        peers.segment_value,
        percentile_cont(0.5) within group (
            order by abs(peers.n_requests - medians.median_requests)
        ) as median_deviation
    from peers
    inner join medians
        on
            peers.monitor = medians.monitor
            and peers.window_index = medians.window_index
            and peers.segment_name = medians.segment_name
            and peers.segment_value = medians.segment_value
    group by
        peers.monitor, peers.window_index, peers.segment_name, peers.segment_value
),

scored as (
    select
        counted.*,
        medians.n_peers,
        medians.median_requests,
        greatest(
            1.4826 * deviations.median_deviation,
            0.1 * medians.median_requests,
            sqrt(medians.median_requests),
            1.0
        ) as spread
    from counted
    left join medians
        on
            counted.monitor = medians.monitor
            and counted.window_index = medians.window_index
            and counted.segment_name = medians.segment_name
            and counted.segment_value = medians.segment_value
    left join deviations
        on
            counted.monitor = deviations.monitor
            and counted.window_index = deviations.window_index
            and counted.segment_name = deviations.segment_name
            and counted.segment_value = deviations.segment_value
)

select
    monitor_key,
    monitor,
    model_version,
    window_start,
    window_end,
    window_date,
    segment_name,
    segment_value,
    cast('volume' as {{ dbt.type_string() }}) as check_name,
    cast('volume' as {{ dbt.type_string() }}) as check_group,
    n_requests as value,
    median_requests as reference_value,
    greatest(0, median_requests - {{ limits.volume.warning }} * spread) as expected_low,
    median_requests + {{ limits.volume.warning }} * spread as expected_high,
    n_requests as n_checked,
    0 as n_failed,
    case
        when n_requests = 0 and n_peers >= 3 and median_requests >= 10 then 'no_rows_at_all'
        when n_peers is null or n_peers < 3 then 'short_history'
        when {{ mlmon.reaches(
            'abs(n_requests - median_requests)', limits.volume.critical ~ ' * spread'
        ) }} then 'above_critical'
        when {{ mlmon.reaches(
            'abs(n_requests - median_requests)', limits.volume.warning ~ ' * spread'
        ) }} then 'above_warning'
        else 'within_limits'
    end as reason_code
from scored
