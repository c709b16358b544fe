-- One row per touched window end at its verdict span, segment, ranked column, cell that was read, and place whose
-- values take part on either side.
{{ config(materialized='view') }}

with

cells as (
    select
        compared.*,
        columns.slot_number,
        coalesce(segments.segment_position, 0) as segment_position,
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

windows as (
    select * from {{ ref('int_mlmon__ranked_windows') }}
)

select
    cells.*,
    windows.window_key as source_key,
    false as is_reference
from cells
inner join windows
    on
        cells.monitor = windows.monitor
        and cells.model_version = windows.model_version
        and windows.window_index between cells.first_index and cells.window_index

union all

select
    cells.*,
    cells.reference_key as source_key,
    true as is_reference
from cells
where cells.compared_with = 'reference'

union all

select
    cells.*,
    windows.window_key as source_key,
    true as is_reference
from cells
inner join windows
    on
        cells.monitor = windows.monitor
        and cells.compared_version = windows.model_version
        and windows.window_index between cells.compared_first_index and cells.compared_last_index
