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

observed as (
    select
        usual_values.*,
        windows.monitor_key,
        windows.window_start,
        windows.window_end,
        windows.window_date,
        mod(usual_values.window_index, settings.windows_per_day) as hour_number,
        cast(
            (usual_values.window_index - mod(usual_values.window_index, settings.windows_per_day))
            / settings.windows_per_day as bigint
        ) as day_number,
        case
            when usual_values.check_name = 'feed_lag' then 86400.0 / settings.windows_per_day
            else 1.0
        end * case usual_values.check_name
            {%- for check in ['freshness', 'feed_lag', 'constant'] %}
            when '{{ check }}' then {{ limits[check].warning }}
            {%- endfor %}
        end as least_warning,
        case
            when usual_values.check_name = 'feed_lag' then 86400.0 / settings.windows_per_day
            else 1.0
        end * case usual_values.check_name
            {%- for check in ['freshness', 'feed_lag', 'constant'] %}
            when '{{ check }}' then {{ limits[check].critical }}
            {%- endfor %}
        end as least_critical
    from {{ ref('int_mlmon__usual_values') }} as usual_values
    inner join settings
        on usual_values.monitor = settings.monitor
    inner join windows
        on
            usual_values.monitor = windows.monitor
            and usual_values.model_version = windows.model_version
            and usual_values.window_index = windows.window_index
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

judged as (
    select
        second_look.*,
        case when n_ordinary >= 5 then ordinary_mean when n_peers >= 5 then peers_mean end as usual,
        case when n_ordinary >= 5 then ordinary_stddev else peers_stddev end as spread
    from second_look
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
    cast(case when check_name = 'constant' then 'validity' else 'freshness' end as {{ dbt.type_string() }})
        as check_group,
    value,
    usual as reference_value,
    cast(null as {{ mlmon.type_double() }}) as expected_low,
    usual + greatest(least_warning, 3 * spread) as expected_high,
    n_checked,
    case
        when check_name <> 'feed_lag' then n_failed
        when {{ mlmon.reaches('value', 'usual + greatest(least_warning, 3 * spread)') }} then 1
        else 0
    end as n_failed,
    case
        when value is null and column_role = 'label' then 'no_labels'
        when value is null then 'no_rows'
        when usual is null then 'short_history'
        when check_name = 'freshness' and n_failed < 3 then 'within_limits'
        when
            check_name = 'constant'
            and n_failed - n_checked * usual <= 3 * sqrt(greatest(n_checked * usual * (1 - usual), 0) + 1)
            then 'within_limits'
        when {{ mlmon.reaches('value', 'usual + greatest(least_critical, 6 * spread)') }}
            then 'above_critical'
        when {{ mlmon.reaches('value', 'usual + greatest(least_warning, 3 * spread)') }}
            then 'above_warning'
        else 'within_limits'
    end as reason_code,
    found
from judged
