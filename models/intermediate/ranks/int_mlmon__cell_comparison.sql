-- One row per touched window end at its verdict span, segment, ranked column and cell that is filled on either side:
-- how many values, and from where to where they reach. The table of what matters is int_mlmon__compared_cells.
{{ config(materialized='view') }}

with

touched as (
    select spans.*
    from {{ ref('int_mlmon__spans') }} as spans
    inner join {{ ref('int_mlmon__touched_verdict_windows') }} as touched
        on spans.window_key = touched.window_key
    where spans.is_verdict and spans.reference_key is not null
),

cell_counts as (
    select * from {{ ref('int_mlmon__cell_counts') }}
),

current_cells as (
    select
        touched.window_key,
        cell_counts.segment_name,
        cell_counts.segment_value,
        cell_counts.column_name,
        cell_counts.cell,
        sum(cell_counts.n) as n,
        min(cell_counts.x_min) as x_min,
        max(cell_counts.x_max) as x_max
    from touched
    inner join cell_counts
        on
            touched.monitor = cell_counts.monitor
            and touched.model_version = cell_counts.model_version
            and touched.reference_key = cell_counts.reference_key
            and cell_counts.window_index between touched.first_index and touched.window_index
    group by
        touched.window_key, cell_counts.segment_name, cell_counts.segment_value,
        cell_counts.column_name, cell_counts.cell
),

compared as (
    select distinct
        current_cells.window_key,
        touched.reference_key,
        touched.compared_with,
        current_cells.segment_name,
        current_cells.segment_value,
        current_cells.column_name
    from current_cells
    inner join touched
        on current_cells.window_key = touched.window_key
),

fixed_reference_cells as (
    select
        reference_key,
        segment_name,
        segment_value,
        column_name,
        cell,
        sum(n) as n,
        min(x_min) as x_min,
        max(x_max) as x_max
    from {{ ref('int_mlmon__reference_cell_counts') }}
    group by reference_key, segment_name, segment_value, column_name, cell
),

fixed_cells as (
    select
        compared.window_key,
        compared.segment_name,
        compared.segment_value,
        compared.column_name,
        cells.cell,
        cells.n,
        cells.x_min,
        cells.x_max
    from compared
    inner join fixed_reference_cells as cells
        on
            compared.reference_key = cells.reference_key
            and compared.segment_name = cells.segment_name
            and compared.segment_value = cells.segment_value
            and compared.column_name = cells.column_name
    where compared.compared_with = 'reference'
),

moving_cells as (
    select
        touched.window_key,
        cell_counts.segment_name,
        cell_counts.segment_value,
        cell_counts.column_name,
        cell_counts.cell,
        sum(cell_counts.n) as n,
        min(cell_counts.x_min) as x_min,
        max(cell_counts.x_max) as x_max
    from touched
    inner join cell_counts
        on
            touched.monitor = cell_counts.monitor
            and touched.compared_version = cell_counts.model_version
            and touched.reference_key = cell_counts.reference_key
            and cell_counts.window_index
            between touched.compared_first_index and touched.compared_last_index
    group by
        touched.window_key, cell_counts.segment_name, cell_counts.segment_value,
        cell_counts.column_name, cell_counts.cell
),

reference_cells as (
    select * from fixed_cells
    union all
    select * from moving_cells
)

select
    window_key,
    segment_name,
    segment_value,
    column_name,
    cell,
    sum(n_reference) as n_reference,
    sum(n_current) as n_current,
    min(reference_min) as reference_min,
    max(reference_max) as reference_max,
    min(current_min) as current_min,
    max(current_max) as current_max
from (
    select
        window_key,
        segment_name,
        segment_value,
        column_name,
        cell,
        n as n_reference,
        0 as n_current,
        x_min as reference_min,
        x_max as reference_max,
        cast(null as {{ mlmon.type_double() }}) as current_min,
        cast(null as {{ mlmon.type_double() }}) as current_max
    from reference_cells

    union all

    select
        window_key,
        segment_name,
        segment_value,
        column_name,
        cell,
        0 as n_reference,
        n as n_current,
        cast(null as {{ mlmon.type_double() }}) as reference_min,
        cast(null as {{ mlmon.type_double() }}) as reference_max,
        x_min as current_min,
        x_max as current_max
    from current_cells
) as sides
group by window_key, segment_name, segment_value, column_name, cell
