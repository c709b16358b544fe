-- One row per monitor, version, closed base window, segment, column and check: the verdict on
-- the logs themselves. Checks on the logs as a whole have the column 'all' and the
-- model_version 'all'.
{%- set text = dbt.type_string() %}

with

windows as (
    select
        windows.*,
        row_number() over (partition by monitor order by window_index desc) as window_rank
    from {{ ref('int_mlmon__version_windows') }} as windows
    where model_version = 'all' and is_closed
),

-- Whether the log has each mapped feature, score and segment now. Looked up when the model
-- is compiled for a run; a column that vanished is NULL in staging and shows here, so
-- nothing stops.
schema_columns as (
    {{ mlmon.schema_columns() }}
),

settings_of_columns as (
    select * from {{ ref('int_mlmon__column_settings') }}
),

vanished as (
    select distinct
        monitor,
        lower(column_name) as log_column
    from {{ ref('int_mlmon__schema_history') }}
    where log_name = 'predictions' and change = 'vanished'
),

present_columns as (
    select
        schema_columns.monitor,
        windows.window_index,
        schema_columns.column_name,
        schema_columns.column_role,
        coalesce(settings_of_columns.column_kind, 'none') as column_kind,
        cast('schema' as {{ text }}) as check_name,
        case when schema_columns.is_present then 1.0 else 0.0 end as value,
        case
            -- A score that is looked for by its usual name, and that the log never had.
            when
                not schema_columns.is_present
                and not schema_columns.is_declared
                and vanished.monitor is null
                then 'not_logged'
            when not schema_columns.is_present and schema_columns.is_required
                then 'required_column_missing'
            when not schema_columns.is_present then 'optional_column_missing'
            when schema_columns.type_family <> schema_columns.reference_type_family
                then 'differs_from_reference'
            else 'within_limits'
        end as reason_code,
        'The log has ' || schema_columns.type_family || ', the reference '
        || schema_columns.reference_type_family || '.' as found
    from schema_columns
    inner join windows
        on
            schema_columns.monitor = windows.monitor
            and windows.window_rank = 1
    left join vanished
        on
            schema_columns.monitor = vanished.monitor
            and schema_columns.log_column = vanished.log_column
    left join settings_of_columns
        on
            schema_columns.monitor = settings_of_columns.monitor
            and schema_columns.column_name = settings_of_columns.column_name
            and schema_columns.column_role = settings_of_columns.column_role
),

-- Of several changes within a window the last counts.
history as (
    select
        history.*,
        cast(case when log_name = 'labels' then 'label' else 'table' end as {{ text }})
            as column_role,
        case when change = 'vanished' then 0.0 else 1.0 end as value,
        row_number() over (
            partition by monitor, log_name, column_name, noticed_index
            order by change_number desc
        ) as recency_in_window,
        row_number() over (
            partition by monitor, log_name, column_name
            order by change_number desc
        ) as recency
    from {{ ref('int_mlmon__schema_history') }} as history
    where change <> 'first_seen'
),

changed_columns as (
    select
        monitor,
        noticed_index as window_index,
        column_name,
        column_role,
        cast('none' as {{ text }}) as column_kind,
        cast('schema_change' as {{ text }}) as check_name,
        value,
        case
            when change = 'vanished' then 'column_vanished'
            when change = 'appeared' then 'column_appeared'
            when type_family <> previous_family then 'column_type_changed'
            else 'within_limits'
        end as reason_code,
        case
            when change = 'vanished' then 'The log of ' || log_name || ' has lost this column.'
            when change = 'appeared' then 'The log of ' || log_name || ' has this column now.'
            when type_family <> previous_family
                then 'The column is ' || type_family || ' now; it was ' || previous_family || '.'
            else 'The column is of type ' || data_type || ' now; it was ' || previous_type || '.'
        end as found
    from history
    where recency_in_window = 1
),

-- A change is told once: after it the column is as it was in the run before.
settled_columns as (
    select
        history.monitor,
        windows.window_index,
        history.column_name,
        history.column_role,
        cast('none' as {{ text }}) as column_kind,
        cast('schema_change' as {{ text }}) as check_name,
        history.value,
        'within_limits' as reason_code,
        'Nothing has changed since ' || cast(noticed.window_date as {{ text }}) || '.' as found
    from history
    inner join windows
        on
            history.monitor = windows.monitor
            and windows.window_rank = 1
            and windows.window_index > history.noticed_index
    inner join windows as noticed
        on
            history.monitor = noticed.monitor
            and history.noticed_index = noticed.window_index
    where history.recency = 1
),

column_changes as (
    select * from present_columns
    union all
    select * from changed_columns
    union all
    select * from settled_columns
),

-- In how many predictions and labels of the newest 28 days each class is.
class_overlaps as (
    {{ mlmon.class_overlaps() }}
),

-- At the newest closed window: whether the log has each column, as the reference has it, and
-- whether any class is in both logs. A column that a run found changed is reported at the window
-- that was the newest when it noticed, and, as long as nothing has changed since, at today's.
found_checks as (
    select
        column_changes.*,
        cast('schema' as {{ text }}) as check_group,
        case when check_name = 'schema' then 1.0 end as expected_low,
        1 as n_checked,
        case when reason_code in ('within_limits', 'not_logged') then 0 else 1 end as n_failed
    from column_changes

    union all

    select
        windows.monitor,
        windows.window_index,
        cast('label' as {{ text }}) as column_name,
        cast('label' as {{ text }}) as column_role,
        cast('categorical' as {{ text }}) as column_kind,
        cast('classes' as {{ text }}) as check_name,
        cast(classes.n_alone as {{ mlmon.type_double() }}) / classes.n_labels as value,
        -- Two classes in all may be one that is always predicted and another that always
        -- is true.
        case
            when classes.n_common = 0 and classes.n_texts > 2 then 'classes_never_match'
            else 'within_limits'
        end as reason_code,
        'The predictions are' || classes.predicted_texts || ' and the labels'
        || classes.label_texts || ': they never match. label_mapping says what they mean.'
            as found,
        cast('consistency' as {{ text }}) as check_group,
        cast(null as {{ mlmon.type_double() }}) as expected_low,
        classes.n_labels as n_checked,
        classes.n_alone as n_failed
    from class_overlaps as classes
    inner join windows
        on
            classes.monitor = windows.monitor
            and windows.window_rank = 1
),

newest_checks as (
    select
        windows.monitor_key,
        windows.model_version,
        windows.window_start,
        windows.window_end,
        windows.window_date,
        cast('all' as {{ text }}) as segment_name,
        cast('all' as {{ text }}) as segment_value,
        cast(null as {{ mlmon.type_double() }}) as reference_value,
        cast(null as {{ mlmon.type_double() }}) as expected_high,
        found_checks.*
    from found_checks
    inner join windows
        on
            found_checks.monitor = windows.monitor
            and found_checks.window_index = windows.window_index
),

checks as (
    {%- for kind in ['column', 'usual', 'log', 'newest'] %}
    {%- if not loop.first %}

    union all
    {% endif %}
    select
        monitor_key,
        monitor,
        model_version,
        window_start,
        window_end,
        window_date,
        segment_name,
        segment_value,
        column_name,
        column_role,
        column_kind,
        check_name,
        check_group,
        value,
        reference_value,
        expected_low,
        expected_high,
        n_checked,
        n_failed,
        reason_code,
        found
    from {{ 'newest_checks' if kind == 'newest' else ref('int_mlmon__' ~ kind ~ '_checks') }}
    {%- if kind == 'column' %}
    -- The others of its rows are those of int_mlmon__usual_checks.
    where reason_code is not null
    {%- endif %}
    {%- endfor %}
),

rated as (
    select
        checks.*,
        case
            when reason_code in (
                'above_critical', 'no_rows_at_all', 'required_column_missing',
                'classes_never_match'
            ) then 'critical'
            when reason_code in (
                'above_warning', 'optional_column_missing', 'differs_from_reference',
                'column_vanished', 'column_type_changed'
            ) then 'warning'
            when reason_code = 'not_logged' then 'not_judged'
            when reason_code = 'no_reference' then 'no_reference'
            when reason_code in ('no_rows', 'no_labels', 'short_history')
                then 'insufficient_data'
            else 'ok'
        end as status
    from checks
)

select
    rated.monitor_key,
    rated.monitor,
    rated.model_version,
    rated.window_start,
    rated.window_end,
    rated.window_date,
    cast(1 as integer) as span_windows,
    rated.segment_name,
    rated.segment_value,
    {{ mlmon.column_key('rated.monitor', 'rated.column_role', 'rated.column_name') }}
        as column_key,
    rated.column_name,
    rated.column_role,
    rated.column_kind,
    rated.check_name,
    rated.check_group,
    rated.value,
    rated.reference_value,
    rated.expected_low,
    rated.expected_high,
    cast(rated.n_checked as bigint) as n_checked,
    cast(rated.n_failed as bigint) as n_failed,
    rated.status,
    {{ mlmon.status_rank('rated.status') }} as status_rank,
    rated.reason_code,
    {{ mlmon.quality_reason('rated') }} as reason
from rated
