-- One row per monitor, closed base window and check on the logs as a whole: duplicates, clocks, labels that
-- contradict, precede or lack their prediction, rows that cannot be used. Judged over all versions together, so that
-- a rollout is no incident. What cannot be used belongs to the window in which it was loaded.
{%- set limits = mlmon.quality_limits() %}
{%- set logged = ("'all'", "'table'", 'true') %}
{%- set labelled = ("'all'", "'table'", 'has_labels') %}
{%- set label_log = ("'label'", "'label'", 'has_labels') %}

with

loads as (
    select
        monitor,
        load_index as window_index,
        {%- for log in ['predictions', 'labels'] %}
        {%- for fate, condition in [
            ('loaded', 'true'),
            ('orphan', "reason_code = 'label_without_prediction'"),
            ('future', "implausibility = 'future'"),
            ('ancient', "implausibility = 'ancient'"),
            ('unusable', "implausibility = 'none' and reason_code not in ('none', 'label_without_prediction')"),
        ] %}
        sum(case when log_name = '{{ log }}' and {{ condition }} then n_rows else 0 end)
            as n_{{ fate }}_{{ log }}{{ ',' if not loop.last }}
        {%- endfor %}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ ref('int_mlmon__load_counts') }}
    group by monitor, load_index
),

windows as (
    select
        windows.*,
        -- What came before the log began is not in it: labels may be of that until all of those have come.
        windows.window_index
        >= bounds.first_window_index + settings.label_horizon_days * settings.windows_per_day
            as is_past_beginning,
        {%- for log in ['predictions', 'labels'] %}
        {%- for fate in ['loaded', 'orphan', 'future', 'ancient', 'unusable'] %}
        coalesce(loads.n_{{ fate }}_{{ log }}, 0) as n_{{ fate }}_{{ log }}
        {{- ',' if not loop.last }}
        {%- endfor %}{{ ',' if not loop.last }}
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
    where windows.model_version = 'all' and windows.is_closed
),

checks as (
    {%- for check, group, where, failed, checked in [
        ('duplicates', 'consistency', logged, 'n_duplicates', 'n_log_rows'),
        ('clock_skew', 'consistency', logged, 'n_skewed_rows', 'n_log_rows'),
        ('future_timestamps', 'validity', logged, 'n_future_predictions', 'n_log_rows + n_loaded_predictions'),
        ('ancient_timestamps', 'validity', logged, 'n_ancient_predictions', 'n_log_rows + n_loaded_predictions'),
        ('unusable_rows', 'completeness', logged, 'n_unusable_predictions', 'n_log_rows + n_loaded_predictions'),
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
        cast({{ where[0] }} as {{ dbt.type_string() }}) as column_name,
        cast({{ where[1] }} as {{ dbt.type_string() }}) as column_role,
        cast('{{ check }}' as {{ dbt.type_string() }}) as check_name,
        cast('{{ group }}' as {{ dbt.type_string() }}) as check_group,
        cast({{ limits[check].warning }} as {{ mlmon.type_double() }}) as warning,
        cast({{ limits[check].critical }} as {{ mlmon.type_double() }}) as critical,
        {{ failed }} as n_failed,
        {{ checked }} as n_checked
    from windows
    where {{ where[2] }}
    {%- endfor %}
),

shares as (
    select
        checks.*,
        cast(n_failed as {{ mlmon.type_double() }}) / nullif(n_checked, 0) as share
    from checks
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
    cast('none' as {{ dbt.type_string() }}) as column_kind,
    check_name,
    check_group,
    share as value,
    cast(null as {{ mlmon.type_double() }}) as reference_value,
    cast(null as {{ mlmon.type_double() }}) as expected_low,
    warning as expected_high,
    n_checked,
    n_failed,
    case
        when n_checked = 0 then 'no_rows'
        when check_name = 'orphan_labels' and not is_past_beginning then 'short_history'
        when n_failed < 3 then 'within_limits'
        when {{ mlmon.reaches('share', 'critical') }} then 'above_critical'
        when {{ mlmon.reaches('share', 'warning') }} then 'above_warning'
        else 'within_limits'
    end as reason_code,
    cast(null as {{ dbt.type_string() }}) as found
from shares
