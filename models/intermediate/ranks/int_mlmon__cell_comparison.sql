-- One row per touched window end at its verdict span, segment, ranked column and cell that is filled on either side:
-- how many values, and from where to where they reach. The table of what matters is int_mlmon__compared_cells.
{{ config(materialized='view') }}

with

ends as (
    select * from {{ ref('int_mlmon__ranked_ends') }}
),

columns as (
    select * from {{ ref('int_mlmon__ranked_columns') }}
),

logged_cells as (
    select
        columns.column_number,
        columns.reference_key,
        cell_counts.monitor,
        cell_counts.model_version,
        cell_counts.window_index,
        cell_counts.cell,
        cell_counts.n,
        cell_counts.x_min,
        cell_counts.x_max
    from {{ ref('int_mlmon__cell_counts') }} as cell_counts
    inner join columns
        on
            cell_counts.reference_key = columns.reference_key
            and cell_counts.segment_name = columns.segment_name
            and cell_counts.segment_value = columns.segment_value
            and cell_counts.column_name = columns.column_name
),

fixed_cells as (
    select
        columns.column_number,
        columns.reference_key,
        cell_counts.cell,
        sum(cell_counts.n) as n,
        min(cell_counts.x_min) as x_min,
        max(cell_counts.x_max) as x_max
    from {{ ref('int_mlmon__reference_cell_counts') }} as cell_counts
    inner join columns
        on
            cell_counts.reference_key = columns.reference_key
            and cell_counts.segment_name = columns.segment_name
            and cell_counts.segment_value = columns.segment_value
            and cell_counts.column_name = columns.column_name
    group by columns.column_number, columns.reference_key, cell_counts.cell
),

sides as (
    select
        ends.end_number,
        cells.column_number,
        cells.cell,
        false as is_reference,
        cells.n,
        cells.x_min,
        cells.x_max
    from ends
    inner join logged_cells as cells
        on
            ends.monitor = cells.monitor
            and ends.model_version = cells.model_version
            and ends.reference_key = cells.reference_key
            and cells.window_index between ends.first_index and ends.window_index

    union all

    select
        ends.end_number,
        cells.column_number,
        cells.cell,
        true as is_reference,
        cells.n,
        cells.x_min,
        cells.x_max
    from ends
    inner join fixed_cells as cells
        on ends.reference_key = cells.reference_key
    where ends.compared_with = 'reference'

    union all

    select
        ends.end_number,
        cells.column_number,
        cells.cell,
        true as is_reference,
        cells.n,
        cells.x_min,
        cells.x_max
    from ends
    inner join logged_cells as cells
        on
            ends.monitor = cells.monitor
            and ends.compared_version = cells.model_version
            and ends.reference_key = cells.reference_key
            and cells.window_index between ends.compared_first_index and ends.compared_last_index
)

select
    end_number,
    column_number,
    cell,
    sum(case when is_reference then n else 0 end) as n_reference,
    sum(case when is_reference then 0 else n end) as n_current,
    min(case when is_reference then x_min end) as reference_min,
    max(case when is_reference then x_max end) as reference_max,
    min(case when is_reference then null else x_min end) as current_min,
    max(case when is_reference then null else x_max end) as current_max
from sides
group by end_number, column_number, cell
