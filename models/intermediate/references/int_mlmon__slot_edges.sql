-- One row per edge set and numeric slot: the edges of int_mlmon__bin_edges side by side (e_1, e_2
-- and so on), as bin_of() wants them. Counting finds the bin of a value with one join. An edge set
-- is the edges of one reference; each monitor has one more, without edges, for versions without a
-- reference. A slot is a numbered column of staging, such as numeric_1 for a monitor's first
-- number.
{%- set n_edges = ([1] + mlmon.numeric_slots_by_edges().keys() | list) | max %}

with

columns as (
    select
        monitor,
        column_name,
        slot,
        declared_min,
        declared_max,
        {{ mlmon.slot_number('slot', mlmon.numbered_slots('numeric')) }} as slot_number
    from {{ ref('int_mlmon__column_settings') }}
    where column_kind = 'numeric'
),

edge_sets as (
    select
        monitor,
        edge_set_number,
        cast(null as {{ dbt.type_string() }}) as reference_key
    from {{ ref('int_mlmon__settings') }}

    union all

    select
        monitor,
        edge_set_number,
        reference_key
    from {{ ref('int_mlmon__references') }}
),

edges as (
    select * from {{ ref('int_mlmon__bin_edges') }}
)

select
    edge_sets.edge_set_number * {{ mlmon.monitored_slots('numeric') | length + 1 }}
    + columns.slot_number as edge_number,
    edge_sets.edge_set_number,
    edge_sets.reference_key,
    columns.slot,
    columns.declared_min,
    columns.declared_max,
    cast(coalesce(max(edges.n_edges), 0) as bigint) as n_edges,
    max(case when edges.has_below then 1 else 0 end) as n_below,
    max(case when edges.is_discrete then 1 else 0 end) = 1 as is_discrete,
    coalesce(max(edges.center), 0) as center,
    coalesce(max(edges.scale), 1) as scale,
    max(edges.inner_low) as inner_low,
    max(edges.inner_high) as inner_high,
    max(edges.outer_low) as outer_low,
    max(edges.outer_high) as outer_high
    {%- for number in range(1, n_edges + 1) %},
    max(case when edges.edge_index = {{ number }} then edges.edge end) as e_{{ number }}
    {%- endfor %}
from edge_sets
inner join columns
    on edge_sets.monitor = columns.monitor
left join edges
    on
        edge_sets.reference_key = edges.reference_key
        and columns.column_name = edges.column_name
group by
    edge_sets.edge_set_number,
    edge_sets.reference_key,
    columns.slot,
    columns.slot_number,
    columns.declared_min,
    columns.declared_max
