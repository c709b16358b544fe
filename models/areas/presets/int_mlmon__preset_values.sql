-- One row per source of values (a base window of the log, or a reference table), slot of a column
-- with a preset, and value (both NULL: missing): how often it occurs there. All rows of the windows
-- are read again, because other tools' numbers are made from values. They are sorted, so that a
-- comparison reads little more than its own.
{{ config(enabled=mlmon.has_python_models() and mlmon.names_presets()) }}
{%- set slots = mlmon.numbered_preset_slots() %}
{%- set columns = slots.values() | list or ['score'] %}

with

sources as (
    select distinct
        monitor,
        source_key
    from {{ ref('int_mlmon__preset_sources') }}
),

wanted as (
    select
        sources.source_key,
        columns.slot,
        {{ mlmon.slot_number('columns.slot', slots) }} as slot_number
    from sources
    inner join {{ ref('int_mlmon__column_settings') }} as columns
        on sources.monitor = columns.monitor
    where columns.preset is not null
),

windows_to_read as (
    select
        windows.window_key as source_key,
        windows.monitor,
        windows.model_version,
        windows.window_index
    from {{ ref('int_mlmon__windows') }} as windows
    inner join sources
        on windows.window_key = sources.source_key
),

rows_of_sources as {{ mlmon.inlined() }} (
    select counting_rows.* from (
        {{ mlmon.counting_rows('windows_to_read', ['source_key'], columns) }}
    ) as counting_rows

    union all

    select
        reference_facts.reference_key as source_key,
        {{ mlmon.qualified('logged', columns) }}
    from {{ ref('stg_mlmon__references') }} as logged
    inner join {{ ref('int_mlmon__references') }} as reference_facts
        on
            logged.monitor = reference_facts.monitor
            and logged.reference_version = reference_facts.reference_version
    where reference_facts.reference_kind = 'table'
),

usable_rows as {{ mlmon.inlined() }} (
    select
        source_key
        {%- for slot in mlmon.preset_slots_of('numeric') %},
        {{ mlmon.nan_to_null(slot) }} as {{ slot }}
        {%- endfor %}
        {%- for slot in mlmon.preset_slots_of('categorical') %},
        {{ slot }}
        {%- endfor %}
    from rows_of_sources
),

valued as (
    select
        wanted.source_key,
        wanted.slot,
        {{ mlmon.preset_value('wanted.slot_number', 'numeric') }} as number_value,
        {{ mlmon.preset_value('wanted.slot_number', 'categorical') }} as text_value
    from usable_rows
    inner join wanted
        on usable_rows.source_key = wanted.source_key
)

select
    source_key,
    slot,
    number_value,
    text_value,
    cast(count(*) as bigint) as n
from valued
group by source_key, slot, number_value, text_value
order by slot, source_key
