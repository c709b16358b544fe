-- One row per reference table of a regression monitor and edge between the bins of its label: the label's quantiles
-- there, of type 1; row 0 holds no edge but the label's centre and scale.
{{ config(
    materialized='incremental',
    incremental_strategy='mlmon_windows',
    unique_key='reference_key',
    on_schema_change='append_new_columns',
    meta={'stale': 'references'},
    post_hook="{{ mlmon.record_windows('references') }}",
) }}

with

labels as (
    select
        reference_key,
        label_value as x,
        row_number() over (partition by reference_key order by label_value) as value_rank
    from {{ ref('int_mlmon__touched_reference_rows') }}
    where label_value is not null
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

-- The whole-number rank ceil(n * j / k) of the j-th quantile.
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

edges as (
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

numbered as (
    select
        reference_key,
        edge,
        row_number() over (partition by reference_key order by edge) as edge_index
    from edges

    union all

    select
        reference_key,
        cast(null as {{ mlmon.type_double() }}) as edge,
        0 as edge_index
    from totals
)

select
    numbered.reference_key,
    cast(numbered.edge_index as bigint) as edge_index,
    numbered.edge,
    -- What moves below the minimum gets a bin of its own.
    numbered.edge_index = 1 and numbered.edge = totals.x_min as is_minimum,
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
from numbered
inner join totals
    on numbered.reference_key = totals.reference_key
left join finite_stats
    on numbered.reference_key = finite_stats.reference_key
