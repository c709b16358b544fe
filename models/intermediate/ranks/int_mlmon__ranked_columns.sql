-- One row per reference, segment and ranked column that has values in the log, numbered for this run.
with

cell_counts as (
    select distinct
        monitor,
        reference_key,
        segment_name,
        segment_value,
        column_name
    from {{ ref('int_mlmon__cell_counts') }}
    where reference_key is not null
)

select
    row_number() over (
        order by cell_counts.reference_key, cell_counts.segment_name,
        cell_counts.segment_value, cell_counts.column_name
    ) as column_number,
    cell_counts.reference_key,
    cell_counts.segment_name,
    cell_counts.segment_value,
    cell_counts.column_name,
    columns.methods like '%,wasserstein%' as is_transported
from cell_counts
inner join {{ ref('int_mlmon__column_settings') }} as columns
    on
        cell_counts.monitor = columns.monitor
        and cell_counts.column_name = columns.column_name
where columns.is_ranked
