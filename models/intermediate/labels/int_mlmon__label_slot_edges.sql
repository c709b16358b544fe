-- One row per edge set of a monitor whose label is a number: the edges of its label side by side, as bin_of() wants
-- them. Where no reference table holds labels they are those of the prediction, which is on the label's scale and,
-- unlike the labels of a stretch of the log, known from the first day on and for good; of relevance the usual grades.
with

number_monitors as (
    select * from ({{ mlmon.label_settings() }}) as settings
    where label_kind = 'numeric'
),

edge_sets as (
    select
        settings.edge_set_number,
        cast(null as {{ dbt.type_string() }}) as reference_key,
        cast('' as {{ dbt.type_string() }}) as reference_hash
    from {{ ref('int_mlmon__settings') }} as settings
    inner join number_monitors
        on settings.monitor = number_monitors.monitor

    union all

    select
        reference_facts.edge_set_number,
        reference_facts.reference_key,
        reference_facts.reference_hash
    from {{ ref('int_mlmon__references') }} as reference_facts
    inner join number_monitors
        on reference_facts.monitor = number_monitors.monitor
),

label_edges as (
    select * from {{ ref('int_mlmon__label_edges') }}
),

edges as (
    select
        reference_key,
        edge_index,
        edge,
        case when is_minimum then 1 else 0 end as n_below,
        center,
        scale
    from label_edges

    union all

    select
        prediction_edges.reference_key,
        prediction_edges.edge_index,
        prediction_edges.edge,
        0 as n_below,
        prediction_edges.center,
        prediction_edges.scale
    from {{ ref('int_mlmon__bin_edges') }} as prediction_edges
    where
        prediction_edges.slot = 'prediction_value'
        and not exists (
            select 1 from label_edges
            where label_edges.reference_key = prediction_edges.reference_key
        )

    union all

    select
        reference_facts.reference_key,
        grades.i + 1 as edge_index,
        cast(grades.i as {{ mlmon.type_double() }}) as edge,
        0 as n_below,
        0 as center,
        1 as scale
    from {{ ref('int_mlmon__references') }} as reference_facts
    inner join number_monitors
        on
            reference_facts.monitor = number_monitors.monitor
            and number_monitors.task = 'ranking'
    cross join ({{ mlmon.integers(mlmon.label_bin_count() - 1) }}) as grades
    where not exists (
        select 1 from label_edges
        where label_edges.reference_key = reference_facts.reference_key
    )
)

select
    edge_sets.edge_set_number,
    edge_sets.reference_key,
    md5('label|' || edge_sets.reference_hash) as bin_spec_id,
    cast(
        coalesce(sum(case when edges.edge_index > 0 then 1 else 0 end), 0) as bigint
    ) as n_edges,
    coalesce(max(edges.n_below), 0) as n_below,
    false as is_discrete,
    coalesce(max(edges.center), 0) as center,
    coalesce(max(edges.scale), 1) as scale
    {%- for number in range(1, mlmon.label_edge_count() + 1) %},
    max(case when edges.edge_index = {{ number }} then edges.edge end) as e_{{ number }}
    {%- endfor %}
from edge_sets
left join edges
    on edge_sets.reference_key = edges.reference_key
group by edge_sets.edge_set_number, edge_sets.reference_key, edge_sets.reference_hash
