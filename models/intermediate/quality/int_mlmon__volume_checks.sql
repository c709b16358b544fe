-- One row per monitor, closed base window and segment: whether there were as many requests as usual
-- at this local weekday (and hour). It finds traffic that broke off or rose. The measure is a
-- robust z of square roots, whose chance is the same at any volume. A log too young for weeks is
-- judged by its days: where none of the last ones was empty, an empty one is no chance.
{%- set limits = mlmon.quality_limits() %}
{%- set text = dbt.type_string() %}
{%- set keys = ['monitor', 'window_index', 'segment_name', 'segment_value'] %}
{%- set last_days %}
partition by monitor, segment_name, segment_value, hour_number
            order by window_index
            rows between 14 preceding and 1 preceding
{%- endset %}

with

settings as (
    select * from {{ ref('int_mlmon__settings') }}
),

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

-- The requests of every window since a segment value was first seen, 0 where there are none.
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
        cast(coalesce(requests.n_requests, 0) as {{ mlmon.type_double() }}) as n_requests,
        sqrt(cast(coalesce(requests.n_requests, 0) as {{ mlmon.type_double() }}))
            as root_requests,
        settings.windows_per_day,
        {{ mlmon.season_index('windows.window_start', 'windows.monitor') }} as season_index
    from windows
    inner join settings
        on windows.monitor = settings.monitor
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
),

-- The same weekday (and hour) of the eight weeks before. No window is its own peer, and weeks that
-- differed too much from their own peers are left out: of the others, the newest four count.
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
    cross join ({{ mlmon.integers(8) }}) as weeks
    inner join counted as earlier
        on
            counted.monitor = earlier.monitor
            and counted.segment_name = earlier.segment_name
            and counted.segment_value = earlier.segment_value
            and earlier.season_index
            = counted.season_index - weeks.i * 7 * counted.windows_per_day
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
),

usual as (
    select
        second_look.*,
        {{ mlmon.volume_spread('second_look') }} as spread
    from second_look
    where n_values >= 3
),

hours as (
    select
        counted.*,
        mod(season_index, windows_per_day) as hour_number
    from counted
),

recent as (
    select
        hours.*,
        count(*) over ({{ last_days }}) as n_days,
        min(n_requests) over ({{ last_days }}) as fewest_requests,
        avg(n_requests) over ({{ last_days }}) as mean_requests
    from hours
),

scored as (
    select
        recent.*,
        usual.median_value,
        usual.spread
    from recent
    left join usual
        on
            {%- for key in keys %}
            {{ 'and ' if not loop.first }}recent.{{ key }} = usual.{{ key }}
            {%- endfor %}
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
    cast('all' as {{ text }}) as column_name,
    cast('table' as {{ text }}) as column_role,
    cast('none' as {{ text }}) as column_kind,
    cast('volume' as {{ text }}) as check_name,
    cast('volume' as {{ text }}) as check_group,
    n_requests as value,
    median_value * median_value as reference_value,
    greatest(0, median_value - {{ limits.volume.warning }} * spread)
    * greatest(0, median_value - {{ limits.volume.warning }} * spread) as expected_low,
    (median_value + {{ limits.volume.warning }} * spread)
    * (median_value + {{ limits.volume.warning }} * spread) as expected_high,
    n_requests as n_checked,
    0 as n_failed,
    case
        when n_requests = 0 and median_value * median_value >= 10 then 'no_rows_at_all'
        when n_requests = 0 and n_days >= 7 and fewest_requests >= 1 and mean_requests >= 10
            then 'no_rows_at_all'
        when median_value is null then 'short_history'
        when {{ mlmon.reaches(
            'abs(root_requests - median_value)', limits.volume.critical ~ ' * spread'
        ) }} then 'above_critical'
        when {{ mlmon.reaches(
            'abs(root_requests - median_value)', limits.volume.warning ~ ' * spread'
        ) }} then 'above_warning'
        else 'within_limits'
    end as reason_code,
    cast(null as {{ text }}) as found
from scored
