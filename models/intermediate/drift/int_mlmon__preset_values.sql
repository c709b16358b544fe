-- One row per source of values (a base window of the log, or a reference table), slot of a column with a preset, and value
-- (both NULL: missing): how often it occurs there. Sorted, so that a comparison reads little besides its own.
with

sources as (
    select distinct
        monitor,
        source_number
    from {{ ref('int_mlmon__preset_sources') }}
),

wanted as (
    select
        sources.source_number,
        columns.slot,
        {{ mlmon.slot_number('columns.slot', mlmon.numbered_preset_slots()) }} as slot_number
    from sources
    inner join {{ ref('int_mlmon__column_settings') }} as columns
        on sources.monitor = columns.monitor
    where columns.preset is not null
),

rows_of_sources as {{ mlmon.inlined() }} (
    select
        logged.window_number as source_number
        {%- for slot in mlmon.numbered_preset_slots().values() %},
        logged.{{ slot }}
        {%- endfor %}
    from {{ ref('int_mlmon__ranked_predictions') }} as logged

    union all

    select
        -reference_facts.edge_set_number as source_number
        {%- for slot in mlmon.preset_slots_of('numeric') %},
        {{ mlmon.nan_to_null('logged.' ~ slot) }} as {{ slot }}
        {%- endfor %}
        {%- for slot in mlmon.preset_slots_of('categorical') %},
        logged.{{ slot }}
        {%- endfor %}
    from {{ ref('stg_mlmon__references') }} as logged
    inner join {{ ref('int_mlmon__references') }} as reference_facts
        on
            logged.monitor = reference_facts.monitor
            and logged.reference_version = reference_facts.reference_version
    where reference_facts.reference_kind = 'table'
),

valued as (
    select
        wanted.source_number,
        wanted.slot,
        {{ mlmon.preset_value('wanted.slot_number', 'numeric') }} as number_value,
        {{ mlmon.preset_value('wanted.slot_number', 'categorical') }} as text_value
    from rows_of_sources
    inner join wanted
        on rows_of_sources.source_number = wanted.source_number
)

select
    source_number,
    slot,
    number_value,
    text_value,
    cast(count(*) as bigint) as n
from valued
group by source_number, slot, number_value, text_value
order by slot, source_number
