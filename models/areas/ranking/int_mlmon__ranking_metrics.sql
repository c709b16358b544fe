-- One row per window end or reference of a ranking monitor, span, segment, label age and metric: the
-- mean over queries, computed once a window set. Its interval is that of normal theory, for
-- proportions Wilson's.
{{ config(
    enabled=mlmon.is_asked_for('ranking'),
    materialized='incremental',
    incremental_strategy='mlmon_windows',
    unique_key='window_key',
    on_schema_change='append_new_columns',
    meta={'stale': 'performance'},
    post_hook="{{ mlmon.record_windows('performance') }}",
) }}

with

ranking_sums as (
    select
        sources.window_set_number,
        sources.monitor,
        sums.segment_name,
        sums.segment_value,
        sums.metric,
        cast(sum(sums.n) as bigint) as n,
        cast(sum(sums.n_excluded) as bigint) as n_excluded,
        sum(sums.total) as total,
        sum(sums.squares) as squares
    from ({{ mlmon.window_set_sources() }}) as sources
    inner join {{ ref('int_mlmon__ranking_sums') }} as sums
        on
            sources.source_key = sums.window_key
            and sources.counted_age = sums.label_age
    where sources.has_segments or sums.segment_name = 'all'
    group by
        sources.window_set_number, sources.monitor, sums.segment_name, sums.segment_value,
        sums.metric
),

ranking_means as (
    select
        sums.*,
        metrics.is_proportion,
        sums.total / nullif(sums.n, 0) as value,
        -- A spread of less than 1e-6 is that of rounding: all queries are alike.
        case
            when metrics.is_proportion then null
            when sums.n < 2 then null
            when (sums.squares - sums.total / sums.n * sums.total) / (sums.n - 1) < 1e-12 then 0
            else (sums.squares - sums.total / sums.n * sums.total) / (sums.n - 1)
        end as spread
    from ranking_sums as sums
    inner join ({{ mlmon.ranking_metric_settings() }}) as metrics
        on
            sums.monitor = metrics.monitor
            and sums.metric = metrics.metric
),

ranking_variances as (
    select
        ranking_means.*,
        case when is_proportion then value * (1 - value) else spread end / nullif(n, 0)
            as variance
    from ranking_means
),

ranking_metrics as (
    select
        window_set_number,
        segment_name,
        segment_value,
        metric,
        cast('all' as {{ dbt.type_string() }}) as class_label,
        value,
        cast(0 as {{ mlmon.type_double() }}) as value_error,
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
    from ranking_variances
)

{{ mlmon.metrics_of_ends('ranking_metrics') }}
