-- One row per change of a log's columns that a run noticed: a column that appeared, vanished or
-- changed its type, and with the first run all that there were. Quality checks report these
-- changes. It is the one thing that is not in the logs themselves, so a full refresh keeps it.
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    full_refresh=false,
    on_schema_change='append_new_columns',
) }}

with

logged as (
    {{ mlmon.logged_columns() }}
),

bounds as (
    select * from {{ ref('int_mlmon__log_bounds') }}
),
{% if is_incremental() %}
known as (
    select
        history.*,
        row_number() over (
            partition by monitor, log_name, relation, column_name
            order by change_number desc
        ) as recency
    from {{ this }} as history
),

newest as (
    select * from known
    where recency = 1
),

known_logs as (
    select
        monitor,
        log_name,
        relation,
        max(change_number) as change_number
    from known
    group by monitor, log_name, relation
),

changes as (
    select
        logged.*,
        true as is_present,
        case
            when known_logs.monitor is null then 'first_seen'
            when newest.is_present then 'type_changed'
            else 'appeared'
        end as change,
        newest.data_type as previous_type,
        newest.type_family as previous_family,
        coalesce(known_logs.change_number, 0) + 1 as change_number
    from logged
    left join known_logs
        on
            logged.monitor = known_logs.monitor
            and logged.log_name = known_logs.log_name
            and logged.relation = known_logs.relation
    left join newest
        on
            logged.monitor = newest.monitor
            and logged.log_name = newest.log_name
            and logged.relation = newest.relation
            and logged.column_name = newest.column_name
    where
        newest.monitor is null
        or not newest.is_present
        or newest.data_type <> logged.data_type

    union all

    select
        newest.monitor,
        newest.log_name,
        newest.relation,
        newest.column_name,
        newest.data_type,
        newest.type_family,
        false as is_present,
        'vanished' as change,
        newest.data_type as previous_type,
        newest.type_family as previous_family,
        known_logs.change_number + 1 as change_number
    from newest
    inner join known_logs
        on
            newest.monitor = known_logs.monitor
            and newest.log_name = known_logs.log_name
            and newest.relation = known_logs.relation
    left join logged
        on
            newest.monitor = logged.monitor
            and newest.log_name = logged.log_name
            and newest.relation = logged.relation
            and newest.column_name = logged.column_name
    where
        newest.is_present
        and logged.monitor is null
        -- If a log cannot be inspected now, it has not lost its columns.
        and exists (
            select 1 from logged as others
            where
                others.monitor = newest.monitor
                and others.log_name = newest.log_name
                and others.relation = newest.relation
        )
)
{% else %}
changes as (
    select
        logged.*,
        true as is_present,
        'first_seen' as change,
        cast(null as {{ dbt.type_string() }}) as previous_type,
        cast(null as {{ dbt.type_string() }}) as previous_family,
        1 as change_number
    from logged
)
{% endif %}
select
    changes.monitor,
    changes.log_name,
    changes.relation,
    changes.column_name,
    changes.data_type,
    changes.type_family,
    changes.is_present,
    cast(changes.change as {{ dbt.type_string() }}) as change,
    changes.previous_type,
    changes.previous_family,
    cast(changes.change_number as bigint) as change_number,
    bounds.last_closed_index as noticed_index
from changes
left join bounds
    on changes.monitor = bounds.monitor
{%- if flags.EMPTY %}
-- The types are read from the warehouse, so a build with --empty would note its own tables.
where false
{%- endif %}
