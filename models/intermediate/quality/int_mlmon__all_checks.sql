-- One row per quality check of any kind, with its finding, in one shape: what fct_mlmon__quality_checks rates.
{{ config(materialized='view') }}

with

{%- for kind in ['column', 'table', 'class'] %}
{{ kind }}_checks as (
    select
        checks.*,
        cast('all' as {{ dbt.type_string() }}) as segment_name,
        cast('all' as {{ dbt.type_string() }}) as segment_value
    from {{ ref('int_mlmon__' ~ kind ~ '_checks') }} as checks
),
{% endfor %}
volume_checks as (
    select * from {{ ref('int_mlmon__volume_checks') }}
),

-- The schema of a log is known for now only: its rows stand at the newest closed window.
newest_windows as (
    select
        windows.*,
        row_number() over (partition by monitor order by window_index desc) as window_rank
    from {{ ref('int_mlmon__version_windows') }} as windows
    where model_version = 'all' and is_closed
),

schema_columns as (
    select * from {{ ref('int_mlmon__schema_columns') }}
),

settings_of_columns as (
    select * from {{ ref('int_mlmon__column_settings') }}
),

checks as (
    {%- for relation, column in [
        ('column_checks', ('column_name', 'column_role', 'column_kind')),
        ('table_checks', ("'all'", "'table'", "'none'")),
        ('volume_checks', ("'all'", "'table'", "'none'")),
        ('class_checks', ("'label'", "'label'", "'categorical'")),
    ] %}
    select
        monitor_key,
        monitor,
        model_version,
        window_start,
        window_end,
        window_date,
        segment_name,
        segment_value,
        {{ column[0] }} as column_name,
        {{ column[1] }} as column_role,
        {{ column[2] }} as column_kind,
        check_name,
        check_group,
        value,
        {%- for limit in ['reference_value', 'expected_low', 'expected_high'] %}
        {{ limit if relation != 'class_checks' else 'cast(null as ' ~ mlmon.type_double() ~ ')' }}
            as {{ limit }},
        {%- endfor %}
        n_checked,
        n_failed,
        reason_code,
        {{ 'found' if relation == 'class_checks' else 'cast(null as ' ~ dbt.type_string() ~ ')' }}
            as found
    from {{ relation }}

    union all
    {% endfor %}
    select
        newest_windows.monitor_key,
        newest_windows.monitor,
        newest_windows.model_version,
        newest_windows.window_start,
        newest_windows.window_end,
        newest_windows.window_date,
        'all' as segment_name,
        'all' as segment_value,
        schema_columns.column_name,
        schema_columns.column_role,
        coalesce(settings_of_columns.column_kind, 'none') as column_kind,
        'schema' as check_name,
        'schema' as check_group,
        case when schema_columns.is_present then 1.0 else 0.0 end as value,
        cast(null as {{ mlmon.type_double() }}) as reference_value,
        1.0 as expected_low,
        cast(null as {{ mlmon.type_double() }}) as expected_high,
        1 as n_checked,
        case when schema_columns.is_present then 0 else 1 end as n_failed,
        case
            when schema_columns.is_present then 'within_limits'
            when schema_columns.is_required then 'required_column_missing'
            else 'optional_column_missing'
        end as reason_code,
        null as found
    from schema_columns
    inner join newest_windows
        on
            schema_columns.monitor = newest_windows.monitor
            and newest_windows.window_rank = 1
    left join settings_of_columns
        on
            schema_columns.monitor = settings_of_columns.monitor
            and schema_columns.column_name = settings_of_columns.column_name
            and schema_columns.column_role = settings_of_columns.column_role
)

select * from checks
