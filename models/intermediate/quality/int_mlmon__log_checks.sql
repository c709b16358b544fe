-- One row per monitor, closed base window and check on the logs as a whole: duplicates,
-- clocks, labels that contradict, precede or lack their prediction, rows that cannot be
-- used; and, at the newest closed window, whether any class is in both logs. Judged over
-- all versions together, so that a rollout is no incident. What cannot be used belongs to
-- the window in which it was loaded.
{%- set limits = mlmon.quality_limits() %}
{%- set text = dbt.type_string() %}
{%- set double = mlmon.type_double() %}
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

settings as (
    select * from {{ ref('int_mlmon__settings') }}
),

bounds as (
    select
        log_bounds.*,
        settings.task,
        settings.label_horizon_days * settings.windows_per_day as horizon_windows,
        28 * settings.windows_per_day as class_windows
    from {{ ref('int_mlmon__log_bounds') }} as log_bounds
    inner join settings
        on log_bounds.monitor = settings.monitor
),

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
        coalesce(coverage.n_labelled, 0) as n_labelled,
        coalesce(coverage.n_early_labels, 0) as n_early_labels,
        coalesce(coverage.n_label_revisions, 0) as n_label_revisions,
        -- What came before the log began is not in it: labels may be of that until all of
        -- those have come.
        windows.window_index >= bounds.first_window_index + bounds.horizon_windows
            as is_past_beginning,
        row_number() over (
            partition by windows.monitor order by windows.window_index desc
        ) as window_rank
        {%- for log in ['predictions', 'labels'] %}
        {%- for fate in fates %},
        coalesce(loads.n_{{ fate }}_{{ log }}, 0) as n_{{ fate }}_{{ log }}
        {%- endfor %}
        {%- endfor %}
    from {{ ref('int_mlmon__version_windows') }} as windows
    inner join bounds
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

-- In how many predictions and labels of the newest 28 days each class is. Texts in one log
-- alone are never equal to any in the other.
class_bounds as (
    select
        monitor,
        last_closed_index,
        last_closed_index - class_windows as before_index,
        {{ mlmon.window_start('last_closed_index - class_windows', 'monitor') }} as first_at
    from bounds
    where task in ('binary', 'multiclass')
),

sides as (
    select
        class_bounds.monitor,
        logged.prediction_text as class_text,
        count(*) as n_predictions,
        0 as n_labels
    from {{ ref('stg_mlmon__predictions') }} as logged
    inner join class_bounds
        on
            logged.monitor = class_bounds.monitor
            and logged.predicted_at >= class_bounds.first_at
            and logged.window_index > class_bounds.before_index
            and logged.window_index <= class_bounds.last_closed_index
    where logged.quarantine_reason is null and logged.prediction_text is not null
    group by class_bounds.monitor, logged.prediction_text

    union all

    select
        class_bounds.monitor,
        logged.label_text as class_text,
        0 as n_predictions,
        count(*) as n_labels
    from {{ ref('stg_mlmon__labels') }} as logged
    inner join class_bounds
        on
            logged.monitor = class_bounds.monitor
            and logged.labeled_at >= class_bounds.first_at
    where logged.quarantine_reason is null and logged.label_text is not null
    group by class_bounds.monitor, logged.label_text
),

class_texts as (
    select
        monitor,
        class_text,
        sum(n_predictions) as n_predictions,
        sum(n_labels) as n_labels,
        row_number() over (
            partition by monitor, case when sum(n_labels) > 0 then 1 else 0 end
            order by sum(n_labels) + sum(n_predictions) desc, class_text
        ) as text_rank
    from sides
    group by monitor, class_text
),

class_overlaps as (
    select
        monitor,
        sum(n_labels) as n_labels,
        sum(case when n_predictions = 0 then n_labels else 0 end) as n_alone,
        count(*) as n_texts,
        sum(case when n_predictions > 0 and n_labels > 0 then 1 else 0 end) as n_common,
        {{ mlmon.concatenate(
            "case when n_predictions > 0 and text_rank <= 3 then ' ' || class_text end",
            'class_text'
        ) }} as predicted_texts,
        {{ mlmon.concatenate(
            "case when n_labels > 0 and text_rank <= 3 then ' ' || class_text end",
            'class_text'
        ) }} as label_texts
    from class_texts
    group by monitor
    having sum(n_labels) > 0 and sum(n_predictions) > 0
),

checks as (
    select
        monitor_key,
        monitor,
        model_version,
        window_start,
        window_end,
        window_date,
        column_name,
        column_role,
        cast('none' as {{ text }}) as column_kind,
        check_name,
        check_group,
        share as value,
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
        windows.monitor_key,
        windows.monitor,
        windows.model_version,
        windows.window_start,
        windows.window_end,
        windows.window_date,
        cast('label' as {{ text }}) as column_name,
        cast('label' as {{ text }}) as column_role,
        cast('categorical' as {{ text }}) as column_kind,
        cast('classes' as {{ text }}) as check_name,
        cast('consistency' as {{ text }}) as check_group,
        cast(classes.n_alone as {{ double }}) / classes.n_labels as value,
        cast(null as {{ double }}) as expected_high,
        classes.n_labels as n_checked,
        classes.n_alone as n_failed,
        -- Two classes in all may be one that is always predicted and another that always
        -- is true.
        case
            when classes.n_common = 0 and classes.n_texts > 2 then 'classes_never_match'
            else 'within_limits'
        end as reason_code,
        'The predictions are' || classes.predicted_texts || ' and the labels'
        || classes.label_texts || ': they never match. label_mapping says what they mean.'
            as found
    from class_overlaps as classes
    inner join windows
        on
            classes.monitor = windows.monitor
            and windows.window_rank = 1
)

select
    checks.*,
    cast('all' as {{ text }}) as segment_name,
    cast('all' as {{ text }}) as segment_value,
    cast(null as {{ double }}) as reference_value,
    cast(null as {{ double }}) as expected_low
from checks
