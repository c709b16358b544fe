-- One row per edge set (int_mlmon__slot_edges), numeric slot and interval between its edges: where
-- the interval's cells begin, and a quarter of their width. Cells are the fine grid on which ranks
-- are compared (macros/stats/count_cells.sql): every interval is cut into the same number of cells,
-- of equal width. The outer intervals end at the reference's finite extremes; an interval without a
-- width is one cell.
with

slot_edges as (
    select * from {{ ref('int_mlmon__slot_edges') }}
    where n_edges > 0
),

edges as (
    select
        slot_edges.edge_number,
        bin_edges.edge_index,
        bin_edges.edge,
        bin_edges.finite_min,
        bin_edges.finite_max,
        bin_edges.n_edges
    from slot_edges
    inner join {{ ref('int_mlmon__bin_edges') }} as bin_edges
        on
            slot_edges.reference_key = bin_edges.reference_key
            and slot_edges.slot = bin_edges.slot
),

intervals as (
    select
        edge_number,
        edge_index,
        coalesce(edge, finite_min) as lower_edge,
        coalesce(
            lead(edge) over (partition by edge_number order by edge_index), finite_max
        ) as upper_edge
    from edges
),

widths as (
    select
        intervals.*,
        case
            when lower_edge - lower_edge = 0 and upper_edge - upper_edge = 0
                then upper_edge / 4 - lower_edge / 4
        end as quarter_width
    from intervals
)

select
    edge_number * 128 + edge_index as interval_number,
    lower_edge,
    upper_edge,
    case
        when quarter_width > 1e-290 then quarter_width / {{ mlmon.cells_a_bin() }}
    end as step
from widths
