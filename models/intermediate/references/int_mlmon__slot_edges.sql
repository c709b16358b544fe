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
    select
        reference_key,
        slot
        {%- for number in range(1, n_edges + 1) %},
        max(case when edge_index = {{ number }} then edge end) as e_{{ number }}
        {%- endfor %}
    from {{ ref('int_mlmon__bin_edges') }}
    group by reference_key, slot
)

select
    edge_sets.edge_set_number * {{ mlmon.monitored_slots('numeric') | length + 1 }}
    + columns.slot_number as edge_number,
    edge_sets.edge_set_number,
    edge_sets.reference_key,
    columns.slot,
    columns.declared_min,
    columns.declared_max,
    coalesce(specs.n_edges, 0) as n_edges,
    case when specs.has_below then 1 else 0 end as n_below,
    coalesce(specs.is_discrete, false) as is_discrete,
    coalesce(specs.center, 0) as center,
    coalesce(specs.scale, 1) as scale,
    specs.inner_low,
    specs.inner_high,
    specs.outer_low,
    specs.outer_high,
    specs.cell_edges
    {%- for number in range(1, n_edges + 1) %},
    edges.e_{{ number }}
    {%- endfor %}
from edge_sets
inner join columns
    on edge_sets.monitor = columns.monitor
left join {{ ref('int_mlmon__bin_edges') }} as specs
    on
        edge_sets.reference_key = specs.reference_key
        and columns.slot = specs.slot
        and specs.edge_index = 0
left join edges
    on
        specs.reference_key = edges.reference_key
        and specs.slot = edges.slot
