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
        {{ 'false as ' if is_borrowed }}has_below,
        {{ 'false as ' if is_borrowed }}is_discrete,
        center,
        scale,
        inner_low,
        inner_high,
        outer_low,
        outer_high
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
)

select
    edge_sets.edge_set_number * {{ mlmon.monitored_slots('numeric') | length + 1 }}
    + columns.slot_number as edge_number,
    edge_sets.edge_set_number,
    edge_sets.reference_key,
    columns.slot,
    columns.declared_min,
    columns.declared_max,
    cast(coalesce(max(edges.edge_index), 0) as bigint) as n_edges,
    max(case when edges.has_below then 1 else 0 end) as n_below,
    max(case when edges.is_discrete then 1 else 0 end) = 1 as is_discrete,
    coalesce(max(edges.center), 0) as center,
    coalesce(max(edges.scale), 1) as scale,
    max(edges.inner_low) as inner_low,
    max(edges.inner_high) as inner_high,
    max(edges.outer_low) as outer_low,
    max(edges.outer_high) as outer_high
    {%- for number in range(1, most_edges | max + 1) %},
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
