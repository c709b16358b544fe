-- One row per stale window end, segment, ranked column and cell, at the verdict span, that matters
-- to the exact Kolmogorov-Smirnov statistic: both distribution functions at the cell's ends, and
-- whether their largest distance may lie inside it. It decides which values must be read from the
-- logs (is_read). A cell where all values of one side lie below those of the other need not be
-- read: what is reached inside is known. Because there are many cells, numbers that hold in this
-- run take the place of names: place_number is that of a cell of a column and segment in the bins
-- of one reference, whatever the window end.
with

ends as (
    select
        row_number() over (order by spans.window_key) as end_number,
        spans.window_key,
        spans.monitor,
        spans.model_version,
        spans.span_windows,
        spans.reference_key,
        spans.compared_with,
        spans.window_index,
        spans.first_index,
        spans.compared_version,
        spans.compared_first_index,
        spans.compared_last_index
    from {{ ref('int_mlmon__spans') }} as spans
    inner join {{ ref('int_mlmon__stale_ends') }} as stale
        on
            stale.facts = 'drift'
            and spans.window_key = stale.window_key
    where spans.is_verdict and spans.reference_key is not null
),

columns_in_log as (
    select distinct
        monitor,
        reference_key,
        segment_name,
        segment_value,
        column_name
    from {{ ref('int_mlmon__cell_counts') }}
    where reference_key is not null and model_version is not null
),

columns as (
    select
        row_number() over (
            order by columns_in_log.reference_key, columns_in_log.segment_name,
            columns_in_log.segment_value, columns_in_log.column_name
        ) as column_number,
        columns_in_log.reference_key,
        columns_in_log.segment_name,
        columns_in_log.segment_value,
        columns_in_log.column_name,
        settings.methods like '%,wasserstein%' as is_transported
    from columns_in_log
    inner join {{ ref('int_mlmon__column_settings') }} as settings
        on
            columns_in_log.monitor = settings.monitor
            and columns_in_log.column_name = settings.column_name
    where settings.is_ranked
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

reference_cells as (
    select
        columns.column_number,
        columns.reference_key,
        cell_counts.cell,
        sum(cell_counts.n) as n,
        min(cell_counts.x_min) as x_min,
        max(cell_counts.x_max) as x_max
    from {{ ref('int_mlmon__cell_counts') }} as cell_counts
    inner join {{ ref('int_mlmon__reference_windows') }} as reference_windows
        on
            cell_counts.window_key = reference_windows.window_key
            and cell_counts.reference_key = reference_windows.reference_key
            and reference_windows.reference_key in (
                select reference_key from ends
                where compared_with = 'reference'
            )
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
    inner join reference_cells as cells
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
),

both_sides as (
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
),

cumulated as (
    select
        both_sides.*,
        sum(n_reference) over (
            partition by end_number, column_number order by cell
        ) as reference_through,
        sum(n_current) over (
            partition by end_number, column_number order by cell
        ) as current_through,
        sum(n_reference) over (partition by end_number, column_number) as reference_total,
        sum(n_current) over (partition by end_number, column_number) as current_total
    from both_sides
),

bounded as (
    select
        cumulated.*,
        cast(reference_through - n_reference as {{ mlmon.type_double() }}) / reference_total
            as f_before,
        cast(reference_through as {{ mlmon.type_double() }}) / reference_total as f_after,
        cast(current_through - n_current as {{ mlmon.type_double() }}) / current_total
            as g_before,
        cast(current_through as {{ mlmon.type_double() }}) / current_total as g_after
    from cumulated
    where reference_total > 0 and current_total > 0
),

reached as (
    select
        bounded.*,
        greatest(f_after - g_before, g_after - f_before) as bound,
        greatest(
            abs(f_after - g_after),
            case
                when n_reference = 0 or n_current = 0 then 0
                when reference_max < current_min then abs(f_after - g_before)
                when current_max < reference_min then abs(g_after - f_before)
                else 0
            end
        ) as distance,
        n_reference > 0
        and n_current > 0
        and not reference_max < current_min
        and not current_max < reference_min
        and not (reference_min = reference_max and current_min = current_max) as is_mixed
    from bounded
),

ranked as (
    select
        reached.*,
        max(distance) over (partition by end_number, column_number) as best_distance,
        row_number() over (
            partition by end_number, column_number order by distance desc, cell
        ) as distance_rank
    from reached
),

chosen as (
    select
        ranked.*,
        is_mixed and bound > best_distance * (1 + 1e-13) as may_hold_supremum
    from ranked
)

select
    row_number() over (order by chosen.end_number, chosen.column_number, chosen.cell)
        as cell_number,
    dense_rank() over (order by chosen.column_number, chosen.cell) as place_number,
    ends.window_key,
    ends.span_windows,
    columns.segment_name,
    columns.segment_value,
    columns.column_name,
    chosen.cell,
    cast(chosen.n_reference as bigint) as n_reference,
    cast(chosen.n_current as bigint) as n_current,
    cast(chosen.reference_through - chosen.n_reference as bigint) as reference_before,
    cast(chosen.current_through - chosen.n_current as bigint) as current_before,
    cast(chosen.reference_total as bigint) as reference_total,
    cast(chosen.current_total as bigint) as current_total,
    chosen.best_distance,
    chosen.may_hold_supremum,
    columns.is_transported,
    chosen.may_hold_supremum or columns.is_transported as is_read
from chosen
inner join ends
    on chosen.end_number = ends.end_number
inner join columns
    on chosen.column_number = columns.column_number
where chosen.may_hold_supremum or chosen.distance_rank = 1 or columns.is_transported
