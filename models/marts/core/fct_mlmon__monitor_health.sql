-- One row per monitor, version and closed window end at the default span: which models are unhealthy, and where.
-- Each area shows its worst status; the row's own is the worst of them.
with

gathered as (
    select * from {{ ref('int_mlmon__health_areas') }}
),

ranked as (
    select
        gathered.*,
        greatest(
            quality_rank, drift_rank, performance_rank, freshness_rank, operations_rank
        ) as worst_rank
    from gathered
),

rated as (
    select
        ranked.*,
        case worst_rank
            when 5 then 'critical'
            when 4 then 'warning'
            when 3 then 'insufficient_data'
            when 2 then 'no_reference'
            when 1 then 'ok'
            else 'not_judged'
        end as status
    from ranked
)

select
    {{ mlmon.window_columns('rated') }},
    cast('all' as {{ dbt.type_string() }}) as segment_name,
    cast('all' as {{ dbt.type_string() }}) as segment_value,
    cast(rated.quality_rank as integer) as quality_rank,
    cast(rated.drift_rank as integer) as drift_rank,
    cast(rated.performance_rank as integer) as performance_rank,
    cast(rated.freshness_rank as integer) as freshness_rank,
    cast(rated.operations_rank as integer) as operations_rank,
    rated.drift_share,
    rated.primary_metric,
    rated.primary_value,
    rated.primary_relative_loss,
    rated.label_coverage,
    rated.latency_p99_ms,
    rated.error_rate,
    cast(coalesce(rated.n_predictions, 0) as bigint) as n_predictions,
    rated.data_through_at,
    rated.status,
    cast(rated.worst_rank as integer) as status_rank,
    'worst_area' as reason_code,
    case
        when rated.worst_rank < 4 then 'No area is at warning or critical.'
        else 'At ' || rated.status || ':'
            || case when rated.quality_rank = rated.worst_rank then ' quality' else '' end
            || case when rated.drift_rank = rated.worst_rank then ' drift' else '' end
            || case when rated.performance_rank = rated.worst_rank then ' performance' else '' end
            || case when rated.freshness_rank = rated.worst_rank then ' freshness' else '' end
            || case when rated.operations_rank = rated.worst_rank then ' operations' else '' end
            || '.'
    end as reason
from rated
