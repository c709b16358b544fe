-- One row per edge set and numeric slot: the edges of int_mlmon__bin_edges side by side (e_1, e_2
-- and so on), as bin_of() wants them. Counting finds the bin of a value with one join. An edge set
-- is the edges of one reference; each monitor has one more, without edges, for versions without a
-- reference. A slot is a numbered column of staging, such as numeric_1 for a monitor's first
-- number. Label drift and associations count labels that are numbers in the bins of label_value.
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

reference_edges as (
    select * from {{ ref('int_mlmon__bin_edges') }}
),

unlabelled as (
    select reference_key from reference_edges
    where slot = 'label_value' and n_edges = 0
),

-- Where no reference table holds labels, their edges are those of the prediction, which is on the
-- label's scale and, unlike the labels of a reference in the log, known from the first day on and
-- for good.
edges as (
    {%- for is_borrowed in [false, true] %}
    select
        reference_key,
        {{ "cast('label' as " ~ dbt.type_string() ~ ") as " if is_borrowed }}column_name,
        edge_index,
        edge,
        n_edges,
        {{ 'false as ' if is_borrowed }}has_below,
        {{ 'false as ' if is_borrowed }}is_discrete,
        center,
        scale,
        inner_low,
        inner_high,
        outer_low,
        outer_high,
        cell_edges
    from reference_edges
    {%- if is_borrowed %}
    where
        slot = 'prediction_value'
        and reference_key in (select reference_key from unlabelled)
    {%- else %}
    where slot <> 'label_value' or n_edges > 0

    union all
    {% endif %}
    {%- endfor %}
),

beside as (
    select
        reference_key,
        column_name
        {%- for number in range(1, most_edges | max + 1) %},
        max(case when edge_index = {{ number }} then edge end) as e_{{ number }}
        {%- endfor %}
    from edges
    group by reference_key, column_name
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
    {%- for number in range(1, most_edges | max + 1) %},
    beside.e_{{ number }}
    {%- endfor %}
from edge_sets
inner join columns
    on edge_sets.monitor = columns.monitor
left join edges as specs
    on
        edge_sets.reference_key = specs.reference_key
        and columns.column_name = specs.column_name
        and specs.edge_index = 0
left join beside
    on
        specs.reference_key = beside.reference_key
        and specs.column_name = beside.column_name
