-- One row per monitor, closed base window and segment: whether there were as many requests as usual at this weekday
-- (and hour), as a robust z. A log too young for weeks is known by its days: where none of the last ones was
-- empty, an empty one is no chance.
{%- set limits = mlmon.quality_limits() %}
{%- set last_days %}
partition by monitor, segment_name, segment_value, hour_number
            order by window_index
            rows between 14 preceding and 1 preceding
{%- endset %}

with

settings as (
    select * from {{ ref('int_mlmon__settings') }}
),

hours as (
    select
        requests.*,
        mod(
            {{ mlmon.season_index('requests.window_start', 'requests.monitor') }},
            settings.windows_per_day
        ) as hour_number
    from {{ ref('int_mlmon__request_counts') }} as requests
    inner join settings
        on requests.monitor = settings.monitor
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
        sqrt(recent.n_requests) as root_requests,
        peers.median_value,
        peers.spread
    from recent
    left join {{ ref('int_mlmon__volume_peers') }} as peers
        on
            recent.monitor = peers.monitor
            and recent.window_index = peers.window_index
            and recent.segment_name = peers.segment_name
            and recent.segment_value = peers.segment_value
            and peers.n_values >= 3
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
    cast('all' as {{ dbt.type_string() }}) as column_name,
    cast('table' as {{ dbt.type_string() }}) as column_role,
    cast('none' as {{ dbt.type_string() }}) as column_kind,
    cast('volume' as {{ dbt.type_string() }}) as check_name,
    cast('volume' as {{ dbt.type_string() }}) as check_group,
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
    cast(null as {{ dbt.type_string() }}) as found
from scored
