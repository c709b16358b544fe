-- One row per monitor and monitored column, at the newest closed window: whether the log has the column, as the
-- reference has it; and the rows of int_mlmon__schema_changes.
{%- set text = dbt.type_string() %}

with

windows as (
    select
        windows.*,
        row_number() over (partition by monitor order by window_index desc) as window_rank
    from {{ ref('int_mlmon__version_windows') }} as windows
    where model_version = 'all' and is_closed
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
    from {{ ref('int_mlmon__schema_columns') }} as schema_columns
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

checks as (
    select * from present_columns
    union all
    select
        monitor,
        window_index,
        column_name,
        column_role,
        cast('none' as {{ text }}) as column_kind,
        cast('schema_change' as {{ text }}) as check_name,
        value,
        reason_code,
        found
    from {{ ref('int_mlmon__schema_changes') }}
)

select
    windows.monitor_key,
    windows.monitor,
    windows.model_version,
    windows.window_start,
    windows.window_end,
    windows.window_date,
    cast('all' as {{ text }}) as segment_name,
    cast('all' as {{ text }}) as segment_value,
    checks.column_name,
    checks.column_role,
    checks.column_kind,
    checks.check_name,
    cast('schema' as {{ text }}) as check_group,
    checks.value,
    cast(null as {{ mlmon.type_double() }}) as reference_value,
    case when checks.check_name = 'schema' then 1.0 end as expected_low,
    cast(null as {{ mlmon.type_double() }}) as expected_high,
    1 as n_checked,
    case when checks.reason_code in ('within_limits', 'not_logged') then 0 else 1 end as n_failed,
    checks.reason_code,
    checks.found
from checks
inner join windows
    on
        checks.monitor = windows.monitor
        and checks.window_index = windows.window_index
