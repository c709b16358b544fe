-- One row per edge set (int_mlmon__slot_edges), segment slot and value that is a segment of its
-- own: the values that the monitor declares, else those of its reference. Counting turns every
-- other value into `__other__`.
with

segments as (
    {{ mlmon.segment_settings() }}
),

declared_values as (
    {{ mlmon.declared_segment_values() }}
),

edge_sets as (
    select
        monitor,
        edge_set_number
    from {{ ref('int_mlmon__settings') }}

    union all

    select
        monitor,
        edge_set_number
    from {{ ref('int_mlmon__references') }}
)

select
    edge_sets.edge_set_number,
    declared_values.slot,
    declared_values.segment_value
from edge_sets
inner join declared_values
    on edge_sets.monitor = declared_values.monitor

union all

select
    reference_facts.edge_set_number,
    segments.slot,
    known_values.segment_value
from {{ ref('int_mlmon__references') }} as reference_facts
inner join {{ ref('int_mlmon__segment_values') }} as known_values
    on reference_facts.reference_key = known_values.reference_key
inner join segments
    on
        reference_facts.monitor = segments.monitor
        and known_values.segment_name = segments.segment_name
where not segments.is_declared
