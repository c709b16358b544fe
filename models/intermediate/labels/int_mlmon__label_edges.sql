-- One row per reference of a monitor whose label is a number: the edges between the bins of its
-- label side by side, as bin_of() wants them, and the label's centre and scale. Label drift and
-- associations count labels in these bins. Where no reference table holds labels, the edges are
-- those of the prediction, which is on the label's scale and, unlike the labels of a reference in
-- the log, known from the first day on and for good; for relevance they are the usual grades.
{{ config(
    materialized='incremental',
    incremental_strategy='mlmon_windows',
    unique_key='reference_key',
    on_schema_change='append_new_columns',
    meta={'stale': 'references'},
    post_hook="{{ mlmon.record_windows('references') }}",
) }}

with

stale as (
    select
        stale.window_key as reference_key,
        settings.task
    from {{ ref('int_mlmon__stale_windows') }} as stale
    inner join {{ ref('int_mlmon__references') }} as reference_facts
        on
            stale.facts = 'references'
            and stale.window_key = reference_facts.reference_key
    inner join ({{ mlmon.label_settings() }}) as settings
        on
            reference_facts.monitor = settings.monitor
            and settings.label_kind = 'numeric'
),

labels as (
    select
        logged.reference_key,
        logged.label_value as x,
        row_number() over (partition by logged.reference_key order by logged.label_value)
            as value_rank
    from {{ ref('int_mlmon__stale_reference_rows') }} as logged
    inner join stale
        on logged.reference_key = stale.reference_key
    where logged.label_value is not null
),

totals as (
    select
        reference_key,
        count(*) as n,
        count(distinct x) as n_distinct,
        min(x) as x_min
    from labels
    group by reference_key
),

finite_stats as (
    select
        reference_key,
        min(x) as finite_min,
        max(x) as finite_max,
        percentile_cont(0.25) within group (order by x) as quartile_1,
        percentile_cont(0.5) within group (order by x) as center,
        percentile_cont(0.75) within group (order by x) as quartile_3
    from labels
    where x - x = 0
    group by reference_key
),

-- The label's quantiles, of type 1: the whole-number rank ceil(n * j / k) of the j-th.
steps as (
    select
        totals.reference_key,
        (
            totals.n * counted.i + {{ mlmon.label_bin_count() }} - 1
            - mod(
                totals.n * counted.i + {{ mlmon.label_bin_count() }} - 1,
                {{ mlmon.label_bin_count() }}
            )
        ) / {{ mlmon.label_bin_count() }} as value_rank
    from totals
    cross join ({{ mlmon.integers(mlmon.label_bin_count() - 1) }}) as counted
    where counted.i >= 1 and totals.n_distinct > {{ mlmon.label_bin_count() }}
),

quantiles as (
    select distinct
        labels.reference_key,
        labels.x as edge
    from labels
    inner join steps
        on
            labels.reference_key = steps.reference_key
            and labels.value_rank = steps.value_rank

    union all

    -- Few values: each is an edge, so that none shares its bin with another.
    select distinct
        labels.reference_key,
        labels.x as edge
    from labels
    inner join totals
        on labels.reference_key = totals.reference_key
    where totals.n_distinct <= {{ mlmon.label_bin_count() }}
),

scales as (
    select
        totals.reference_key,
        coalesce(finite_stats.center, 0) as center,
        coalesce(
            case
                when finite_stats.finite_min = finite_stats.finite_max
                    then greatest(abs(finite_stats.center), 1.0) / 4
                else greatest(
                    finite_stats.quartile_3 / 4 - finite_stats.quartile_1 / 4,
                    (finite_stats.finite_max / 4 - finite_stats.center / 4) * 1e-6,
                    (finite_stats.center / 4 - finite_stats.finite_min / 4) * 1e-6,
                    {{ mlmon.smallest_scale() }}
                )
            end,
            0.25
        ) * 4 as scale
    from totals
    left join finite_stats
        on totals.reference_key = finite_stats.reference_key
),

edges as (
    select
        quantiles.reference_key,
        quantiles.edge,
        row_number() over (partition by quantiles.reference_key order by quantiles.edge)
            as edge_index,
        -- What moves below the minimum gets a bin of its own.
        case when quantiles.edge = totals.x_min then 1 else 0 end as n_below,
        scales.center,
        scales.scale
    from quantiles
    inner join totals
        on quantiles.reference_key = totals.reference_key
    inner join scales
        on quantiles.reference_key = scales.reference_key

    union all

    select
        prediction_edges.reference_key,
        prediction_edges.edge,
        prediction_edges.edge_index,
        0 as n_below,
        prediction_edges.center,
        prediction_edges.scale
    from {{ ref('int_mlmon__bin_edges') }} as prediction_edges
    where
        prediction_edges.slot = 'prediction_value'
        and prediction_edges.reference_key not in (select reference_key from totals)

    union all

    select
        stale.reference_key,
        cast(grades.i as {{ mlmon.type_double() }}) as edge,
        grades.i + 1 as edge_index,
        0 as n_below,
        0 as center,
        1 as scale
    from stale
    cross join ({{ mlmon.integers(mlmon.label_bin_count() - 1) }}) as grades
    where
        stale.task = 'ranking'
        and stale.reference_key not in (select reference_key from totals)
)

select
    stale.reference_key,
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
from stale
left join edges
    on stale.reference_key = edges.reference_key
group by stale.reference_key
