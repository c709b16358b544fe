-- One row per monitor, version, closed base window and value of int_mlmon__usual_values, held against what was usual
-- at the same hour of the 28 days before: their mean, and three standard deviations or the check's limit above it,
-- whichever is more. A window is not among its own peers, nor is one that stands out from its own.
{%- set limits = mlmon.quality_limits() %}
{%- set peers %}
partition by monitor, check_name, column_role, column_name, hour_number
            order by day_number
            range between 28 preceding and 1 preceding
{%- endset %}

with

settings as (
    select * from {{ ref('int_mlmon__settings') }}
),

windows as (
    select * from {{ ref('int_mlmon__version_windows') }}
    where is_closed
),

seasons as (
    select
        windows.*,
        settings.windows_per_day,
        {{ mlmon.season_index('windows.window_start', 'windows.monitor') }} as season_index
    from windows
    inner join settings
        on windows.monitor = settings.monitor
),

observed as (
    select
        usual_values.*,
        seasons.monitor_key,
        seasons.window_start,
        seasons.window_end,
        seasons.window_date,
        mod(seasons.season_index, seasons.windows_per_day) as hour_number,
        cast(
            (seasons.season_index - mod(seasons.season_index, seasons.windows_per_day))
            / seasons.windows_per_day as bigint
        ) as day_number,
        {%- for level in ['warning', 'critical'] %}
        case usual_values.check_name
            {%- for check in ['freshness', 'constant', 'reference_range', 'outliers'] %}
            when '{{ check }}' then {{ limits[check][level] }}
            {%- endfor %}
            -- In parts of a window.
            else {{ limits.feed_lag[level] }} * 86400.0 / seasons.windows_per_day
        end as least_{{ level }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ ref('int_mlmon__usual_values') }} as usual_values
    inner join seasons
        on
            usual_values.monitor = seasons.monitor
            and usual_values.model_version = seasons.model_version
            and usual_values.window_index = seasons.window_index
),

first_look as (
    select
        observed.*,
        count(value) over ({{ peers }}) as n_peers,
        avg(value) over ({{ peers }}) as peers_mean,
        coalesce(stddev_samp(value) over ({{ peers }}), 0) as peers_stddev
    from observed
),

-- What stands out is no peer of what comes after it.
ordinary as (
    select
        first_look.*,
        case
            when
                n_peers < 5
                or value < peers_mean + greatest(least_warning, 3 * peers_stddev)
                then value
        end as ordinary_value
    from first_look
),

second_look as (
    select
        ordinary.*,
        count(ordinary_value) over ({{ peers }}) as n_ordinary,
        avg(ordinary_value) over ({{ peers }}) as ordinary_mean,
        coalesce(stddev_samp(ordinary_value) over ({{ peers }}), 0) as ordinary_stddev
    from ordinary
),

compared as (
    select
        second_look.*,
        case when n_ordinary >= 5 then ordinary_mean when n_peers >= 5 then peers_mean end as usual,
        case when n_ordinary >= 5 then ordinary_stddev else peers_stddev end as spread
    from second_look
),

-- Where the reference allows a share, what is above it must be unusual, too; while nothing is usual yet, the
-- reference alone judges.
judged as (
    select
        compared.*,
        -- A column that is not constant by chance now and then, is not constant at all.
        case when check_name = 'constant' and usual + 3 * spread < 1 then 1.0 end as all_alike,
        greatest(
            coalesce(usual + greatest(least_warning, 3 * spread), allowed_share + least_warning),
            coalesce(allowed_share + least_warning, usual + greatest(least_warning, 3 * spread))
        ) as warning,
        greatest(
            coalesce(usual + greatest(least_critical, 6 * spread), allowed_share + least_critical),
            coalesce(allowed_share + least_critical, usual + greatest(least_critical, 6 * spread))
        ) as critical,
        coalesce(allowed_share, usual) as expected_share
    from compared
)

select
    monitor_key,
    monitor,
    model_version,
    window_start,
    window_end,
    window_date,
    cast('all' as {{ dbt.type_string() }}) as segment_name,
    cast('all' as {{ dbt.type_string() }}) as segment_value,
    column_name,
    column_role,
    column_kind,
    check_name,
    cast(
        case when check_name in ('freshness', 'feed_lag') then 'freshness' else 'validity' end
        as {{ dbt.type_string() }}
    ) as check_group,
    value,
    coalesce(reference_share, usual) as reference_value,
    cast(null as {{ mlmon.type_double() }}) as expected_low,
    case when check_name = 'feed_lag' then warning else least(1.0, warning) end as expected_high,
    n_checked,
    case
        when check_name <> 'feed_lag' then n_failed
        when {{ mlmon.reaches('value', 'warning') }} then 1
        else 0
    end as n_failed,
    case
        when value is null and column_role = 'label' then 'no_labels'
        when value is null then 'no_rows'
        when warning is null then 'short_history'
        when check_name = 'freshness' and n_failed < 3 then 'within_limits'
        when
            check_name not in ('freshness', 'feed_lag')
            and n_failed - n_checked * expected_share
            <= 3 * sqrt(greatest(n_checked * expected_share * (1 - expected_share), 0) + 1)
            then 'within_limits'
        when {{ mlmon.reaches('value', 'critical') }} then 'above_critical'
        when {{ mlmon.reaches('value', 'warning') }} or value >= all_alike then 'above_warning'
        else 'within_limits'
    end as reason_code,
    found
from judged
