-- One row per source of values (a base window of the log, or a reference table) and place (a cell of a column and
-- segment, under the edges of one reference) whose values some comparison needs.
with

comparisons as (
    select distinct
        source_number,
        place_number,
        reference_key
    from {{ ref('int_mlmon__rank_comparisons') }}
),

places as (
    select distinct
        compared.place_number,
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

-- A reference that is a stretch of the log is read window by window.
sources as (
    select
        source_number,
        place_number
    from comparisons
    where source_number > 0

    union

    select
        coalesce(windows.window_number, comparisons.source_number) as source_number,
        comparisons.place_number
    from comparisons
    inner join {{ ref('int_mlmon__references') }} as reference_facts
        on comparisons.reference_key = reference_facts.reference_key
    left join {{ ref('int_mlmon__ranked_windows') }} as windows
        on
            reference_facts.reference_kind <> 'table'
            and reference_facts.monitor = windows.monitor
            and windows.window_index
            between reference_facts.first_index and reference_facts.last_index
            and reference_facts.logged_version in ('all', windows.model_version)
    where comparisons.source_number < 0
)

select
    sources.source_number,
    sources.place_number,
    places.slot_number,
    places.segment_position,
    places.segment_value,
    places.cell
from sources
inner join places
    on sources.place_number = places.place_number
