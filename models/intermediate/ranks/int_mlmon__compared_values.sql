-- One row per side of a comparison (a base window, or a reference), segment, ranked column, cell and value that was
-- read: how often it occurs. A reference that is a stretch of the log has the values of its windows.
{{ config(materialized='view') }}

with

ranked_values as (
    select * from {{ ref('int_mlmon__ranked_values') }}
),

windows as (
    select * from {{ ref('int_mlmon__ranked_windows') }}
),

reference_facts as (
    select * from {{ ref('int_mlmon__references') }}
)

select
    ranked_values.source_key,
    coalesce(windows.reference_key, ranked_values.source_key) as reference_key,
    windows.window_key is null as is_reference,
    ranked_values.segment_position,
    ranked_values.segment_value,
    ranked_values.slot_number,
    ranked_values.cell,
    ranked_values.x,
    ranked_values.n
from ranked_values
left join windows
    on ranked_values.source_key = windows.window_key

union all

select
    reference_facts.reference_key as source_key,
    reference_facts.reference_key,
    true as is_reference,
    ranked_values.segment_position,
    ranked_values.segment_value,
    ranked_values.slot_number,
    ranked_values.cell,
    ranked_values.x,
    cast(sum(ranked_values.n) as bigint) as n
from ranked_values
inner join windows
    on ranked_values.source_key = windows.window_key
inner join reference_facts
    on
        windows.monitor = reference_facts.monitor
        and windows.window_index
        between reference_facts.first_index and reference_facts.last_index
        and reference_facts.reference_version in ('all', windows.model_version)
where reference_facts.reference_kind <> 'table'
group by
    reference_facts.reference_key, ranked_values.segment_position, ranked_values.segment_value,
    ranked_values.slot_number, ranked_values.cell, ranked_values.x
