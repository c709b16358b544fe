-- One row per monitor, closed base window and check on the logs as a whole, of volume a row per
-- segment, too: duplicates, clocks, labels that contradict, precede or lack their prediction, rows
-- that cannot be used, and whether there were as many requests as usual at this local weekday (and
-- hour). Judged over all versions together, so that a rollout is no incident. What cannot be used
-- belongs to the window in which it was loaded. The measure of volume is a robust z of square
-- roots, whose chance is the same at any volume. A log too young for weeks is judged by its days:
-- where none of the last ones was empty, an empty one is no chance.
{%- set limits = mlmon.quality_limits() %}
{%- set text = dbt.type_string() %}
{%- set double = mlmon.type_double() %}
{%- set keys = ['series_key', 'window_index'] %}
{%- set last_days %}
partition by traffic.series_key, mod(traffic.season_index, traffic.windows_per_day)
            order by traffic.window_index
            rows between 14 preceding and 1 preceding
{%- endset %}
{%- set logged = ("'all'", "'table'", 'true') %}
{%- set labelled = ("'all'", "'table'", 'has_labels') %}
{%- set arrived = 'n_log_rows + n_loaded_predictions' %}
{%- set label_log = ("'label'", "'label'", 'has_labels') %}
{%- set fates = {
    'loaded': 'true',
    'orphan': "reason_code = 'label_without_prediction'",
    'future': "implausibility = 'future'",
    'ancient': "implausibility = 'ancient'",
    'unusable':
        "implausibility = 'none' and reason_code not in ('none', 'label_without_prediction')",
} %}

with

loads as (
    select
        monitor,
        load_index as window_index
        {%- for log in ['predictions', 'labels'] %}
        {%- for fate, condition in fates.items() %},
        sum(case when log_name = '{{ log }}' and {{ condition }} then n_rows else 0 end)
            as n_{{ fate }}_{{ log }}
        {%- endfor %}
        {%- endfor %}
    from {{ ref('int_mlmon__load_counts') }}
    group by monitor, load_index
),

windows as (
    select
        windows.*,
        settings.windows_per_day,
        {{ mlmon.season_index('windows.window_start', 'windows.monitor') }} as season_index,
        coalesce(coverage.n_labelled, 0) as n_labelled,
        coalesce(coverage.n_early_labels, 0) as n_early_labels,
        coalesce(coverage.n_label_revisions, 0) as n_label_revisions,
        -- What came before the log began is not in it: labels may be of that until all of
        -- those have come.
        windows.window_index
        >= bounds.first_window_index + settings.label_horizon_days * settings.windows_per_day
            as is_past_beginning
        {%- for log in ['predictions', 'labels'] %}
        {%- for fate in fates %},
        coalesce(loads.n_{{ fate }}_{{ log }}, 0) as n_{{ fate }}_{{ log }}
        {%- endfor %}
        {%- endfor %}
    from {{ ref('int_mlmon__version_windows') }} as windows
    inner join {{ ref('int_mlmon__settings') }} as settings
        on windows.monitor = settings.monitor
    inner join {{ ref('int_mlmon__log_bounds') }} as bounds
        on windows.monitor = bounds.monitor
    left join loads
        on
            windows.monitor = loads.monitor
            and windows.window_index = loads.window_index
    left join {{ ref('int_mlmon__label_coverage') }} as coverage
        on
            windows.monitor = coverage.monitor
            and windows.model_version = coverage.model_version
            and windows.window_index = coverage.window_index
            and coverage.segment_name = 'all'
            and coverage.label_age = 'latest'
    where windows.model_version = 'all' and windows.is_closed
),

counted as (
    {%- for check, group, where, failed, checked in [
        ('duplicates', 'consistency', logged, 'n_duplicates', 'n_log_rows'),
        ('clock_skew', 'consistency', logged, 'n_skewed_rows', 'n_log_rows'),
        ('future_timestamps', 'validity', logged, 'n_future_predictions', arrived),
        ('ancient_timestamps', 'validity', logged, 'n_ancient_predictions', arrived),
        ('unusable_rows', 'completeness', logged, 'n_unusable_predictions', arrived),
        ('label_conflicts', 'consistency', labelled, 'n_label_revisions', 'n_labelled'),
        ('early_labels', 'consistency', labelled, 'n_early_labels', 'n_labelled'),
        ('orphan_labels', 'consistency', labelled, 'n_orphan_labels', 'n_loaded_labels'),
        ('future_timestamps', 'validity', label_log, 'n_future_labels', 'n_loaded_labels'),
        ('ancient_timestamps', 'validity', label_log, 'n_ancient_labels', 'n_loaded_labels'),
        ('unusable_rows', 'completeness', label_log, 'n_unusable_labels', 'n_loaded_labels'),
    ] %}
    {%- if not loop.first %}

    union all
    {% endif %}
    select
        windows.*,
        cast({{ where[0] }} as {{ text }}) as column_name,
        cast({{ where[1] }} as {{ text }}) as column_role,
        cast('{{ check }}' as {{ text }}) as check_name,
        cast('{{ group }}' as {{ text }}) as check_group,
        cast({{ limits[check].warning }} as {{ double }}) as warning,
        cast({{ limits[check].critical }} as {{ double }}) as critical,
        {{ failed }} as n_failed,
        {{ checked }} as n_checked
    from windows
    where {{ where[2] }}
    {%- endfor %}
),

shares as (
    select
        counted.*,
        cast(n_failed as {{ double }}) / nullif(n_checked, 0) as share
    from counted
),

requests as (
    select
        monitor,
        window_index,
        segment_name,
        segment_value,
        md5(monitor || '|' || segment_name || '|' || segment_value) as series_key,
        cast(sum(n_requests) as {{ double }}) as n_requests
    from {{ ref('int_mlmon__operation_sums') }}
    group by monitor, window_index, segment_name, segment_value
),

series as (
    select
        monitor,
        segment_name,
        segment_value,
        series_key,
        min(window_index) as first_index
    from requests
    group by monitor, segment_name, segment_value, series_key
),

-- The requests of every window since a segment value was first seen, 0 where there are none.
traffic as (
    select
        windows.*,
        series.segment_name,
        series.segment_value,
        series.series_key,
        coalesce(requests.n_requests, 0) as n_requests,
        sqrt(coalesce(requests.n_requests, 0)) as root_requests
    from windows
    inner join series
        on
            windows.monitor = series.monitor
            and windows.window_index >= series.first_index
    left join requests
        on
            series.series_key = requests.series_key
            and windows.window_index = requests.window_index
),

-- The same weekday (and hour) of the eight weeks before. No window is its own peer, and weeks that
-- differed too much from their own peers are left out: of the others, the newest four count.
pairs as (
    select
        traffic.series_key,
        traffic.window_index,
        earlier.window_index as peer_index,
        earlier.root_requests,
        weeks.i as weeks_before
    from traffic
    cross join ({{ mlmon.integers(8) }}) as weeks
    inner join traffic as earlier
        on
            traffic.series_key = earlier.series_key
            and earlier.season_index
            = traffic.season_index - weeks.i * 7 * traffic.windows_per_day
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
        traffic.series_key,
        traffic.window_index
    from traffic
    inner join first_look
        on
            traffic.series_key = first_look.series_key
            and traffic.window_index = first_look.window_index
    where
        first_look.n_values >= 3
        and abs(traffic.root_requests - first_look.median_value)
        >= {{ limits.volume.warning }} * {{ mlmon.volume_spread('first_look') }} - 1e-9
),

ranked_pairs as (
    select
        pairs.*,
        row_number() over (
            partition by pairs.series_key, pairs.window_index
            order by
                case when outstanding.series_key is null then 0 else 1 end,
                pairs.weeks_before,
                pairs.peer_index
        ) as peer_rank
    from pairs
    left join outstanding
        on
            pairs.series_key = outstanding.series_key
            and pairs.peer_index = outstanding.window_index
),

peers as (
    select * from ranked_pairs
    where peer_rank <= 4
),

second_look as (
    {{ mlmon.median_deviations('peers', keys, 'root_requests') }}
),

scored as (
    select
        traffic.*,
        usual.median_value,
        {{ mlmon.volume_spread('usual') }} as spread,
        count(*) over ({{ last_days }}) as n_days,
        min(n_requests) over ({{ last_days }}) as fewest_requests,
        avg(n_requests) over ({{ last_days }}) as mean_requests
    from traffic
    left join second_look as usual
        on
            traffic.series_key = usual.series_key
            and traffic.window_index = usual.window_index
            and usual.n_values >= 3
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
    cast('none' as {{ text }}) as column_kind,
    check_name,
    check_group,
    share as value,
    cast(null as {{ double }}) as reference_value,
    cast(null as {{ double }}) as expected_low,
    warning as expected_high,
    n_checked,
    n_failed,
    case
        when n_checked = 0 then 'no_rows'
        when check_name = 'orphan_labels' and not is_past_beginning
            then 'short_history'
        when n_failed < 3 then 'within_limits'
        when {{ mlmon.reaches('share', 'critical') }} then 'above_critical'
        when {{ mlmon.reaches('share', 'warning') }} then 'above_warning'
        else 'within_limits'
    end as reason_code,
    cast(null as {{ text }}) as found
from shares

union all

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
