-- One row per monitor, version, closed base window and value that is compared with what was usual
-- at the same hour of the 28 days before: the share of late rows, how long ago the newest
-- prediction and label had come when the window ended, the share of a column's most frequent value,
-- and the shares of values outside what the reference has, which change with the seasons. These
-- values change with the hour, so that a fixed limit would fail every night. The limit is the mean
-- of those days (the window's peers) plus three standard deviations or plus the check's own limit,
-- whichever is more. A window is not among its own peers, nor is a window that differed too much
-- from its own.
{%- set limits = mlmon.quality_limits() %}
{%- set text = dbt.type_string() %}
{%- set double = mlmon.type_double() %}
{%- set peers %}
partition by monitor, check_name, column_role, column_name, hour_number
            order by day_number
            range between 28 preceding and 1 preceding
{%- endset %}

with

settings as (
    select * from {{ ref('int_mlmon__settings') }}
),

seasons as (
    select
        windows.*,
        settings.windows_per_day,
        {{ mlmon.season_index('windows.window_start', 'windows.monitor') }} as season_index
    from {{ ref('int_mlmon__version_windows') }} as windows
    inner join settings
        on windows.monitor = settings.monitor
    where windows.is_closed
),

closed_windows as (
    select
        seasons.*,
        mod(season_index, windows_per_day) as hour_number,
        cast(
            (season_index - mod(season_index, windows_per_day)) / windows_per_day as bigint
        ) as day_number
    from seasons
),

windows as (
    select * from closed_windows
    where model_version = 'all'
),

label_loads as (
    select
        monitor,
        load_index as window_index,
        max(last_loaded_at) as last_loaded_at
    from {{ ref('int_mlmon__load_counts') }}
    where log_name = 'labels' and reason_code in ('none', 'label_without_prediction')
    group by monitor, load_index
),

-- Labels may be loaded in windows that have no predictions, and before the first that has.
label_clock as (
    select
        monitor,
        window_index,
        max(last_loaded_at) over (partition by monitor order by window_index) as newest_at
    from (
        select
            monitor,
            window_index,
            last_loaded_at
        from label_loads

        union all

        select
            monitor,
            window_index,
            cast(null as timestamp) as last_loaded_at
        from windows
    ) as moments
),

newest as (
    select
        windows.*,
        max(windows.last_predicted_at) over (
            partition by windows.monitor order by windows.window_index
        ) as newest_prediction_at,
        label_clock.newest_at as newest_label_at
    from windows
    left join (
        select
            monitor,
            window_index,
            max(newest_at) as newest_at
        from label_clock
        group by monitor, window_index
    ) as label_clock
        on
            windows.monitor = label_clock.monitor
            and windows.window_index = label_clock.window_index
),

log_values as (
    {%- for check, column, value, failed, checked, found, where in [
        (
            'freshness', ('all', 'table'),
            'cast(n_late_rows as ' ~ double ~ ') / nullif(n_log_rows, 0)',
            'n_late_rows', 'n_log_rows', 'null', 'true',
        ),
        (
            'feed_lag', ('all', 'table'),
            mlmon.seconds_between('newest_prediction_at', 'window_end'),
            '0', '1', 'newest_prediction_at', 'true',
        ),
        (
            'feed_lag', ('label', 'label'),
            mlmon.seconds_between('newest_label_at', 'window_end'),
            '0', '1', 'newest_label_at', 'has_labels',
        ),
    ] %}
    {%- if not loop.first %}

    union all
    {% endif %}
    select
        monitor,
        model_version,
        window_index,
        cast('{{ column[0] }}' as {{ text }}) as column_name,
        cast('{{ column[1] }}' as {{ text }}) as column_role,
        cast('none' as {{ text }}) as column_kind,
        cast('{{ check }}' as {{ text }}) as check_name,
        {{ value }} as value,
        {{ failed }} as n_failed,
        {{ checked }} as n_checked,
        cast({{ found }} as {{ text }}) as found,
        cast(null as {{ double }}) as reference_share,
        cast(null as {{ double }}) as allowed_share
    from newest
    where {{ where }}
    {%- endfor %}
),

-- Of few values one is often most of them.
modal_values as (
    select
        profiles.monitor,
        profiles.model_version,
        profiles.window_index,
        profiles.column_name,
        profiles.column_role,
        profiles.column_kind,
        cast('constant' as {{ text }}) as check_name,
        cast(profiles.modal_n as {{ double }}) / profiles.n_profiled as value,
        profiles.modal_n as n_failed,
        profiles.n_profiled as n_checked,
        profiles.modal_value as found,
        cast(null as {{ double }}) as reference_share,
        cast(null as {{ double }}) as allowed_share
    from {{ ref('int_mlmon__column_profiles') }} as profiles
    where profiles.n_profiled >= 20 and profiles.modal_n is not null
),

range_values as (
    select
        monitor,
        model_version,
        window_index,
        column_name,
        column_role,
        column_kind,
        check_name,
        value,
        n_failed,
        n_checked,
        found,
        reference_value as reference_share,
        allowed_share
    from {{ ref('int_mlmon__column_checks') }}
    where reason_code is null
),

usual_values as (
    select * from log_values
    union all
    select * from modal_values
    union all
    select * from range_values
),

observed as (
    select
        usual_values.*,
        closed_windows.monitor_key,
        closed_windows.window_start,
        closed_windows.window_end,
        closed_windows.window_date,
        closed_windows.hour_number,
        closed_windows.day_number,
        {%- for level in ['warning', 'critical'] %}
        case usual_values.check_name
            {%- for check in ['freshness', 'constant', 'reference_range', 'outliers'] %}
            when '{{ check }}' then {{ limits[check][level] }}
            {%- endfor %}
            -- In parts of a window.
            else {{ limits.feed_lag[level] }} * 86400.0 / closed_windows.windows_per_day
        end as least_{{ level }}{{ ',' if not loop.last }}
        {%- endfor %}
    from usual_values
    inner join closed_windows
        on
            usual_values.monitor = closed_windows.monitor
            and usual_values.model_version = closed_windows.model_version
            and usual_values.window_index = closed_windows.window_index
),

first_look as (
    select
        observed.*,
        count(value) over ({{ peers }}) as n_peers,
        avg(value) over ({{ peers }}) as peers_mean,
        coalesce(stddev_samp(value) over ({{ peers }}), 0) as peers_stddev
    from observed
),

-- A window that differed too much from its peers is no peer of what comes after it.
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

-- Where the reference allows a share, what is above it must be unusual, too; while nothing
-- is usual yet, the reference alone judges.
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
    cast('all' as {{ text }}) as segment_name,
    cast('all' as {{ text }}) as segment_value,
    column_name,
    column_role,
    column_kind,
    check_name,
    cast(
        case when check_name in ('freshness', 'feed_lag') then 'freshness' else 'validity' end
        as {{ text }}
    ) as check_group,
    value,
    coalesce(reference_share, usual) as reference_value,
    cast(null as {{ double }}) as expected_low,
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
