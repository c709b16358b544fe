-- One row per monitor, closed base window and segment with earlier weeks: the median number of requests at the same
-- local weekday (and hour) and how far its peers lie from it, in square roots, whose chance is the same at any volume.
-- No window is its own peer, and weeks that stand out from their own peers are left out: of eight weeks the newest
-- four others count.
{%- set limits = mlmon.quality_limits() %}
{%- set keys = ['monitor', 'window_index', 'segment_name', 'segment_value'] %}

with

settings as (
    select * from {{ ref('int_mlmon__settings') }}
),

counted as (
    select
        requests.monitor,
        requests.window_index,
        requests.segment_name,
        requests.segment_value,
        sqrt(requests.n_requests) as root_requests,
        {{ mlmon.season_index('requests.window_start', 'requests.monitor') }} as season_index
    from {{ ref('int_mlmon__request_counts') }} as requests
),

pairs as (
    select
        counted.monitor,
        counted.window_index,
        counted.segment_name,
        counted.segment_value,
        earlier.window_index as peer_index,
        earlier.root_requests,
        weeks.i as weeks_before
    from counted
    inner join settings
        on counted.monitor = settings.monitor
    cross join ({{ mlmon.integers(8) }}) as weeks
    inner join counted as earlier
        on
            counted.monitor = earlier.monitor
            and counted.segment_name = earlier.segment_name
            and counted.segment_value = earlier.segment_value
            and earlier.season_index
            = counted.season_index - weeks.i * 7 * settings.windows_per_day
    where weeks.i > 0
),

newest_pairs as (
    select * from pairs
    where weeks_before <= 4
),

first_look as (
    {{ mlmon.median_deviations('newest_pairs', keys, 'root_requests') }}
),

outstanding as (
    select
        counted.monitor,
        counted.window_index,
        counted.segment_name,
        counted.segment_value
    from counted
    inner join first_look
        on
            counted.monitor = first_look.monitor
            and counted.window_index = first_look.window_index
            and counted.segment_name = first_look.segment_name
            and counted.segment_value = first_look.segment_value
    where
        first_look.n_values >= 3
        and abs(counted.root_requests - first_look.median_value)
        >= {{ limits.volume.warning }} * {{ mlmon.volume_spread('first_look') }} - 1e-9
),

ranked_pairs as (
    select
        pairs.*,
        row_number() over (
            partition by
                pairs.monitor, pairs.window_index, pairs.segment_name, pairs.segment_value
            order by
                case when outstanding.monitor is null then 0 else 1 end,
                pairs.weeks_before,
                pairs.peer_index
        ) as peer_rank
    from pairs
    left join outstanding
        on
            pairs.monitor = outstanding.monitor
            and pairs.peer_index = outstanding.window_index
            and pairs.segment_name = outstanding.segment_name
            and pairs.segment_value = outstanding.segment_value
),

peers as (
    select * from ranked_pairs
    where peer_rank <= 4
),

second_look as (
    {{ mlmon.median_deviations('peers', keys, 'root_requests') }}
)

select
    second_look.*,
    {{ mlmon.volume_spread('second_look') }} as spread
from second_look
