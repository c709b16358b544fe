-- One row per source of values (a base window of the log, or a reference table), place and value
-- that must be read for an exact statistic of ranks: how often it occurs.
-- int_mlmon__rank_statistics ranks them. A place is a cell of a column and segment in the bins of
-- one reference (place_number, from int_mlmon__compared_cells).
{%- set numeric_slots = ['prediction_value', 'score'] %}
{%- set segment_slots = [] %}
{%- for slot in mlmon.slot_names() if not slot.startswith('category') %}
    {%- do (segment_slots if slot.startswith('segment') else numeric_slots).append(slot) %}
{%- endfor %}

with

cells_to_read as (
    select
        compared.place_number,
        compared.segment_name,
        compared.segment_value,
        compared.column_name,
        compared.cell,
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
    select * from {{ ref('int_mlmon__windows') }}
    where source = 'log' and n_predictions > 0
),

places_of_references as (
    select distinct
        place_number,
        reference_key
    from cells_to_read
    where compared_with = 'reference'
),

-- Which sources have values in which places. A reference in the log is read window by window.
sources_of_places as (
    select
        cells_to_read.place_number,
        windows.window_key as source_key
    from cells_to_read
    inner join windows
        on
            cells_to_read.monitor = windows.monitor
            and cells_to_read.model_version = windows.model_version
            and windows.window_index
            between cells_to_read.first_index and cells_to_read.window_index

    union

    select
        cells_to_read.place_number,
        windows.window_key as source_key
    from cells_to_read
    inner join windows
        on
            cells_to_read.monitor = windows.monitor
            and cells_to_read.compared_version = windows.model_version
            and windows.window_index
            between cells_to_read.compared_first_index and cells_to_read.compared_last_index

    union

    select
        places.place_number,
        coalesce(windows.window_key, reference_facts.reference_key) as source_key
    from places_of_references as places
    inner join {{ ref('int_mlmon__references') }} as reference_facts
        on places.reference_key = reference_facts.reference_key
    left join windows
        on
            reference_facts.reference_kind <> 'table'
            and reference_facts.monitor = windows.monitor
            and windows.window_index
            between reference_facts.first_index and reference_facts.last_index
            and reference_facts.logged_version in ('all', windows.model_version)
),

-- Sources are numbered, because every row of the logs is joined to one and numbers join faster.
sources as (
    select
        source_key,
        row_number() over (order by source_key) as source_number
    from (select distinct source_key from sources_of_places) as distinct_sources
),

places as (
    select distinct
        cells_to_read.place_number,
        columns.slot_number,
        coalesce(segments.segment_position, 0) as segment_position,
        cells_to_read.segment_value,
        cells_to_read.cell
    from cells_to_read
    inner join {{ ref('int_mlmon__column_settings') }} as columns
        on
            cells_to_read.monitor = columns.monitor
            and cells_to_read.column_name = columns.column_name
    left join ({{ mlmon.segment_settings() }}) as segments
        on
            cells_to_read.monitor = segments.monitor
            and cells_to_read.segment_name = segments.segment_name
),

-- Evaluated by itself, because Postgres otherwise joins the rows to all places of their source
-- before it looks for the cell.
wanted as (
    select
        sources.source_number,
        places.place_number,
        places.slot_number,
        places.segment_position,
        places.segment_value,
        places.cell
    from sources_of_places
    inner join sources
        on sources_of_places.source_key = sources.source_key
    inner join places
        on sources_of_places.place_number = places.place_number
    {{ mlmon.evaluated_once() }}
),

windows_to_read as (
    select
        sources.source_number,
        windows.monitor,
        windows.model_version,
        windows.window_index,
        versions.edge_set_number
    from sources
    inner join windows
        on sources.source_key = windows.window_key
    inner join {{ ref('int_mlmon__versions') }} as versions
        on
            windows.monitor = versions.monitor
            and windows.model_version = versions.model_version
),

unresolved_rows as {{ mlmon.inlined() }} (
    select counting_rows.* from (
        {{ mlmon.counting_rows(
            'windows_to_read', ['source_number', 'edge_set_number'], numeric_slots + segment_slots
        ) }}
    ) as counting_rows

    union all

    select
        sources.source_number,
        reference_facts.edge_set_number,
        {{ mlmon.qualified('logged', numeric_slots + segment_slots) }}
    from {{ ref('stg_mlmon__references') }} as logged
    inner join {{ ref('int_mlmon__references') }} as reference_facts
        on
            logged.monitor = reference_facts.monitor
            and logged.reference_version = reference_facts.reference_version
    inner join sources
        on reference_facts.reference_key = sources.source_key
    where reference_facts.reference_kind = 'table'
),

edge_sets as (
    select
        monitor,
        reference_key,
        edge_set_number
    from {{ ref('int_mlmon__versions') }}

    union

    select
        monitor,
        reference_key,
        edge_set_number
    from {{ ref('int_mlmon__references') }}
),

resolved_rows as {{ mlmon.inlined() }} (
    select
        unresolved_rows.source_number,
        unresolved_rows.edge_set_number
        {%- for slot in numeric_slots %},
        {{ mlmon.nan_to_null('unresolved_rows.' ~ slot) }} as {{ slot }}
        {%- endfor %}
        {%- for slot in segment_slots %},
        {{ mlmon.resolved_segment('unresolved_rows.' ~ slot, slot ~ '_values') }} as {{ slot }}
        {%- endfor %}
    from unresolved_rows
    {{- mlmon.segment_joins('unresolved_rows', 'unresolved_rows.edge_set_number', 'edge_sets') }}
),

placed as {{ mlmon.inlined() }} (
    {{ mlmon.cells_of_rows('resolved_rows', 'source_number') }}
),

counted as (
    select
        wanted.source_number,
        wanted.place_number,
        placed.x,
        cast(count(*) as bigint) as n
    from placed
    inner join wanted
        on
            placed.source_number = wanted.source_number
            and placed.slot_number = wanted.slot_number
            and placed.cell = wanted.cell
            and placed.segment_position = wanted.segment_position
            and placed.segment_value = wanted.segment_value
    group by wanted.source_number, wanted.place_number, placed.x
)

select
    sources.source_key,
    counted.place_number,
    counted.x,
    counted.n
from counted
inner join sources
    on counted.source_number = sources.source_number
