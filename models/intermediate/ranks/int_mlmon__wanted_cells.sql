-- One row per place of values (a base window of the log, or a reference table), segment, ranked column and cell whose
-- values some comparison needs.
with

cells as (
    select
        compared.window_key,
        compared.span_windows,
        columns.slot_number,
        coalesce(segments.segment_position, 0) as segment_position,
        compared.segment_value,
        compared.cell
    from {{ ref('int_mlmon__compared_cells') }} as compared
    inner join {{ ref('int_mlmon__spans') }} as spans
        on
            compared.window_key = spans.window_key
            and compared.span_windows = spans.span_windows
    inner join {{ ref('int_mlmon__column_settings') }} as columns
        on
            spans.monitor = columns.monitor
            and compared.column_name = columns.column_name
    left join ({{ mlmon.segment_settings() }}) as segments
        on
            spans.monitor = segments.monitor
            and compared.segment_name = segments.segment_name
    where compared.is_read
),

spans as (
    select * from {{ ref('int_mlmon__spans') }}
    where is_verdict
),

reference_facts as (
    select * from {{ ref('int_mlmon__references') }}
),

windows as (
    select * from {{ ref('int_mlmon__ranked_windows') }}
)

select
    windows.window_key as source_key,
    windows.window_number as source_number,
    cells.slot_number,
    cells.segment_position,
    cells.segment_value,
    cells.cell
from cells
inner join spans
    on cells.window_key = spans.window_key
inner join windows
    on
        spans.monitor = windows.monitor
        and spans.model_version = windows.model_version
        and windows.window_index between spans.first_index and spans.window_index

union

select
    windows.window_key as source_key,
    windows.window_number as source_number,
    cells.slot_number,
    cells.segment_position,
    cells.segment_value,
    cells.cell
from cells
inner join spans
    on cells.window_key = spans.window_key
inner join reference_facts
    on spans.reference_key = reference_facts.reference_key
inner join windows
    on
        reference_facts.monitor = windows.monitor
        and windows.window_index
        between reference_facts.first_index and reference_facts.last_index
        and reference_facts.reference_version in ('all', windows.model_version)
where reference_facts.reference_kind <> 'table' and spans.compared_with = 'reference'

union

select
    windows.window_key as source_key,
    windows.window_number as source_number,
    cells.slot_number,
    cells.segment_position,
    cells.segment_value,
    cells.cell
from cells
inner join spans
    on cells.window_key = spans.window_key
inner join windows
    on
        spans.monitor = windows.monitor
        and spans.compared_version = windows.model_version
        and windows.window_index between spans.compared_first_index and spans.compared_last_index

union

select
    spans.reference_key as source_key,
    -- Negative, so that no window has the number.
    -reference_facts.edge_set_number as source_number,
    cells.slot_number,
    cells.segment_position,
    cells.segment_value,
    cells.cell
from cells
inner join spans
    on cells.window_key = spans.window_key
inner join reference_facts
    on spans.reference_key = reference_facts.reference_key
where reference_facts.reference_kind = 'table' and spans.compared_with = 'reference'
