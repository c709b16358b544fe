-- One row per cell of int_mlmon__compared_cells that is read, and source whose values take part on either side: a base
-- window of the log, or a reference (source_number below zero).
{{ config(materialized='view') }}

with

cells as (
    select
        compared.cell_number,
        compared.place_number,
        compared.may_hold_supremum,
        compared.is_transported,
        spans.monitor,
        spans.model_version,
        spans.reference_key,
        spans.first_index,
        spans.window_index,
        spans.compared_with,
        spans.compared_version,
        spans.compared_first_index,
        spans.compared_last_index
    from {{ ref('int_mlmon__compared_cells') }} as compared
    inner join {{ ref('int_mlmon__spans') }} as spans
        on
            compared.window_key = spans.window_key
            and compared.span_windows = spans.span_windows
    where compared.is_read
),

windows as (
    select * from {{ ref('int_mlmon__ranked_windows') }}
)

select
    {{ mlmon.qualified('cells', [
        'cell_number', 'place_number', 'may_hold_supremum', 'is_transported', 'reference_key',
    ]) }},
    windows.window_number as source_number,
    false as is_reference
from cells
inner join windows
    on
        cells.monitor = windows.monitor
        and cells.model_version = windows.model_version
        and windows.window_index between cells.first_index and cells.window_index

union all

select
    {{ mlmon.qualified('cells', [
        'cell_number', 'place_number', 'may_hold_supremum', 'is_transported', 'reference_key',
    ]) }},
    windows.window_number as source_number,
    true as is_reference
from cells
inner join windows
    on
        cells.monitor = windows.monitor
        and cells.compared_version = windows.model_version
        and windows.window_index between cells.compared_first_index and cells.compared_last_index

union all

select
    {{ mlmon.qualified('cells', [
        'cell_number', 'place_number', 'may_hold_supremum', 'is_transported', 'reference_key',
    ]) }},
    -reference_facts.edge_set_number as source_number,
    true as is_reference
from cells
inner join {{ ref('int_mlmon__references') }} as reference_facts
    on cells.reference_key = reference_facts.reference_key
where cells.compared_with = 'reference'
