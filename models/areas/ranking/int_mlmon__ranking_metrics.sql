-- One row per population of a ranking monitor, segment and metric: its mean over queries, with the interval of normal theory
-- over queries, of proportions Wilson's.
{{ config(enabled=mlmon.is_asked_for('ranking')) }}

with

summed as (
    select
        populations.population_number,
        populations.monitor,
        sums.segment_name,
        sums.segment_value,
        sums.metric,
        cast(sum(sums.n) as bigint) as n,
        cast(sum(sums.n_excluded) as bigint) as n_excluded,
        sum(sums.total) as total,
        sum(sums.squares) as squares
    from {{ ref('int_mlmon__populations') }} as populations
    inner join {{ ref('int_mlmon__stretch_sources') }} as sources
        on populations.stretch_number = sources.stretch_number
    inner join {{ ref('int_mlmon__ranking_sums') }} as sums
        on
            sources.source_key = sums.window_key
            and populations.fact_age = sums.label_age
    where populations.has_segments or sums.segment_name = 'all'
    group by
        populations.population_number, populations.monitor, sums.segment_name,
        sums.segment_value, sums.metric
),

means as (
    select
        summed.*,
        metrics.is_proportion,
        summed.total / nullif(summed.n, 0) as value,
        -- A spread of less than 1e-6 is that of rounding: all queries are alike.
        case
            when metrics.is_proportion then null
            when summed.n < 2 then null
            when
                (summed.squares - summed.total / summed.n * summed.total) / (summed.n - 1)
                < 1e-12
                then 0
            else
                (summed.squares - summed.total / summed.n * summed.total) / (summed.n - 1)
        end as spread
    from summed
    inner join ({{ mlmon.ranking_metric_settings() }}) as metrics
        on
            summed.monitor = metrics.monitor
            and summed.metric = metrics.metric
),

varied as (
    select
        means.*,
        case when is_proportion then value * (1 - value) else spread end / nullif(n, 0)
            as variance
    from means
)

select
    population_number,
    segment_name,
    segment_value,
    metric,
    cast('all' as {{ dbt.type_string() }}) as class_label,
    value,
    variance,
    n,
    n_excluded,
    case
        when is_proportion then {{ mlmon.wilson_bound('value', 'nullif(n, 0)', '-') }}
        when variance > 0 then greatest(0, value - 1.959963984540054 * sqrt(variance))
    end as value_low,
    case
        when is_proportion then {{ mlmon.wilson_bound('value', 'nullif(n, 0)', '+') }}
        when variance > 0 then least(1, value + 1.959963984540054 * sqrt(variance))
    end as value_high,
    cast(
        case when is_proportion then 'wilson' else 'normal' end as {{ dbt.type_string() }}
    ) as interval_method
from varied
