-- One row per window set of a ranking monitor, label age, segment and metric: its mean over
-- queries, with its interval. int_mlmon__metric_values gives these to the window ends that share
-- the set. The interval is that of normal theory over queries, for proportions Wilson's.
{{ config(enabled=mlmon.is_asked_for('ranking')) }}

with

summed as (
    select
        sources.window_set_number,
        sources.monitor,
        case when sums.label_age = 'reference' then 'latest' else sums.label_age end as label_age,
        sums.segment_name,
        sums.segment_value,
        sums.metric,
        cast(sum(sums.n) as bigint) as n,
        cast(sum(sums.n_excluded) as bigint) as n_excluded,
        sum(sums.total) as total,
        sum(sums.squares) as squares
    from {{ ref('int_mlmon__window_set_sources') }} as sources
    inner join {{ ref('int_mlmon__ranking_sums') }} as sums
        on sources.source_key = sums.window_key
    where sources.has_segments or sums.segment_name = 'all'
    group by
        sources.window_set_number, sources.monitor, sums.label_age, sums.segment_name,
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
    window_set_number,
    label_age,
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
