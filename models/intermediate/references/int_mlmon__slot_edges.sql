-- One row per edge set and numeric slot: the edges of int_mlmon__bin_edges side by side (e_1, e_2
-- and so on), as bin_of() wants them. Counting finds the bin of a value with one join. An edge set
-- is the edges of one reference; each monitor has one more, without edges, for versions without a
-- reference. A slot is a numbered column of staging, such as numeric_1 for a monitor's first
-- number. Label drift and associations count labels that are numbers in the bins of label_value.
-- A table, although it is small: DuckDB joins a table by the position of its whole numbers, and hands the list of
-- cells on without copying it. With the same rows as a CTE counting takes twice the time and four times the memory.
{%- set most_edges = mlmon.numeric_slots_by_edges().keys() | list + [mlmon.label_edge_count()] %}

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

    union all

    select
        monitor,
        cast('label' as {{ dbt.type_string() }}) as column_name,
        cast('label_value' as {{ dbt.type_string() }}) as slot,
        cast(null as {{ mlmon.type_double() }}) as declared_min,
        cast(null as {{ mlmon.type_double() }}) as declared_max,
        cast(0 as bigint) as slot_number
    from ({{ mlmon.label_settings() }}) as labels
    where label_kind = 'numeric'
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

bin_edges as (
    select * from {{ ref('int_mlmon__bin_edges') }}
),

unlabelled as (
    select reference_key from bin_edges
    where slot = 'label_value' and n_edges = 0
),

-- Where no reference table holds labels, their edges are those of the prediction, which is on the
-- label's scale and, unlike the labels of a reference in the log, known from the first day on and
-- for good.
slots as (
    select
        edge_sets.edge_set_number,
        edge_sets.reference_key,
        columns.*,
        case
            when columns.slot = 'label_value' and unlabelled.reference_key is not null
                then 'prediction'
            else columns.column_name
        end as edges_of
    from edge_sets
    inner join columns
        on edge_sets.monitor = columns.monitor
    left join unlabelled
        on edge_sets.reference_key = unlabelled.reference_key
),

edges as (
    select
        reference_key,
        column_name
        {%- for number in range(1, most_edges | max + 1) %},
        max(case when edge_index = {{ number }} then edge end) as e_{{ number }}
        {%- endfor %}
    from bin_edges
    group by reference_key, column_name
)

select
    slots.edge_set_number * {{ mlmon.monitored_slots('numeric') | length + 1 }}
    + slots.slot_number as edge_number,
    slots.edge_set_number,
    slots.reference_key,
    slots.slot,
    slots.declared_min,
    slots.declared_max,
    coalesce(specs.n_edges, 0) as n_edges,
    case when specs.has_below and slots.edges_of = slots.column_name then 1 else 0 end
        as n_below,
    coalesce(specs.is_discrete and slots.edges_of = slots.column_name, false) as is_discrete,
    coalesce(specs.center, 0) as center,
    coalesce(specs.scale, 1) as scale,
    specs.inner_low,
    specs.inner_high,
    specs.outer_low,
    specs.outer_high,
    specs.cell_edges
    {%- for number in range(1, most_edges | max + 1) %},
    edges.e_{{ number }}
    {%- endfor %}
from slots
left join bin_edges as specs
    on
        slots.reference_key = specs.reference_key
        and slots.edges_of = specs.column_name
        and specs.edge_index = 0
left join edges
    on
        specs.reference_key = edges.reference_key
        and specs.column_name = edges.column_name
