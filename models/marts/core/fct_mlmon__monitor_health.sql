-- One row per monitor, version and closed window end at the default span: which models are
-- unhealthy, and where. Each area shows its worst status; the row's own is the worst of them, and
-- its reason is that of the worst finding.
with

spans as (
    select * from {{ ref('int_mlmon__spans') }}
    where is_default_span and model_version <> 'all'
),

settings as (
    select * from {{ ref('int_mlmon__settings') }}
),

bounds as (
    select * from {{ ref('int_mlmon__log_bounds') }}
),

-- Quality belongs to the base window that ends the span; its table checks to all versions.
quality as (
    select
        monitor,
        model_version,
        window_end,
        max(case when check_group <> 'freshness' then status_rank end) as quality_rank,
        max(case when check_group = 'freshness' then status_rank end) as freshness_rank
    from {{ ref('fct_mlmon__quality_checks') }}
    group by monitor, model_version, window_end
),

drift as (
    select * from {{ ref('fct_mlmon__dataset_drift') }}
    where segment_name = 'all' and is_verdict
),

output_columns as (
    select * from {{ ref('fct_mlmon__column_drift') }}
    where segment_name = 'all' and column_role <> 'feature' and is_verdict
),

output_drift as (
    select
        monitor_key,
        window_end,
        max(status_rank) as output_rank
    from output_columns
    group by monitor_key, window_end
),

degradation as (
    select * from {{ ref('fct_mlmon__degradation') }}
    where segment_name = 'all' and is_deciding
),

operations as (
    select * from {{ ref('fct_mlmon__operations') }}
    where segment_name = 'all'
),

gathered as (
    select
        {{ mlmon.window_columns('spans') }},
        greatest(
            coalesce(own_quality.quality_rank, 0), coalesce(shared_quality.quality_rank, 0)
        ) as quality_rank,
        greatest(coalesce(drift.status_rank, 0), coalesce(output_drift.output_rank, 0))
            as drift_rank,
        coalesce(degradation.status_rank, 0) as performance_rank,
        coalesce(shared_quality.freshness_rank, 0) as freshness_rank,
        case
            when operations.n_requests is null then 0
            when operations.error_budget_burn >= 10 then 5
            when operations.error_budget_burn > 1 then 4
            else 1
        end as operations_rank,
        drift.drift_share,
        settings.primary_metric,
        degradation.value as primary_value,
        degradation.relative_loss as primary_relative_loss,
        degradation.label_coverage,
        degradation.is_mature,
        operations.error_budget_burn,
        operations.latency_p99_ms,
        operations.error_rate,
        operations.n_requests as n_predictions,
        bounds.data_through_at
    from spans
    inner join settings
        on spans.monitor = settings.monitor
    inner join bounds
        on spans.monitor = bounds.monitor
    left join quality as own_quality
        on
            spans.monitor = own_quality.monitor
            and spans.model_version = own_quality.model_version
            and spans.window_end = own_quality.window_end
    left join quality as shared_quality
        on
            spans.monitor = shared_quality.monitor
            and shared_quality.model_version = 'all'
            and spans.window_end = shared_quality.window_end
    left join drift
        on
            spans.monitor_key = drift.monitor_key
            and spans.window_end = drift.window_end
    left join output_drift
        on
            spans.monitor_key = output_drift.monitor_key
            and spans.window_end = output_drift.window_end
    left join degradation
        on
            spans.monitor_key = degradation.monitor_key
            and spans.window_end = degradation.window_end
            and spans.span_windows = degradation.span_windows
            and degradation.metric = settings.primary_metric
    left join operations
        on
            spans.monitor_key = operations.monitor_key
            and spans.window_end = operations.window_end
            and spans.span_windows = operations.span_windows
),

ranked as (
    select
        gathered.*,
        greatest(
            quality_rank, drift_rank, performance_rank, freshness_rank, operations_rank
        ) as worst_rank
    from gathered
),

-- What each area found. Freshness and quality come first: they are often the cause of the rest.
findings as (
    select
        spans.monitor_key,
        spans.window_end,
        case when checks.check_group = 'freshness' then 1 else 2 end as area_order,
        checks.status_rank,
        case when checks.column_name = 'all' then '' else checks.column_name || ': ' end
        || checks.reason as reason
    from {{ ref('fct_mlmon__quality_checks') }} as checks
    inner join spans
        on
            checks.monitor = spans.monitor
            and checks.model_version in ('all', spans.model_version)
            and checks.window_end = spans.window_end
    where checks.status_rank >= 4

    union all

    select
        monitor_key,
        window_end,
        3 as area_order,
        operations_rank as status_rank,
        'Latency uses its error budget ' || {{ mlmon.short_number('error_budget_burn') }}
        || ' times as fast as the objective allows.' as reason
    from gathered
    where operations_rank >= 4

    union all

    select
        degradation.monitor_key,
        degradation.window_end,
        4 as area_order,
        degradation.status_rank,
        degradation.reason
    from degradation
    inner join gathered
        on
            degradation.monitor_key = gathered.monitor_key
            and degradation.window_end = gathered.window_end
            and degradation.span_windows = gathered.span_windows
            and degradation.metric = gathered.primary_metric
    where degradation.status_rank >= 4

    union all

    select
        monitor_key,
        window_end,
        5 as area_order,
        status_rank,
        reason
    from drift
    where status_rank >= 4

    union all

    select
        monitor_key,
        window_end,
        6 as area_order,
        status_rank,
        column_name || ': ' || reason as reason
    from output_columns
    where status_rank >= 4
),

ordered_findings as (
    select
        findings.*,
        row_number() over (
            partition by monitor_key, window_end
            order by status_rank desc, area_order, {{ mlmon.byte_order('reason') }}
        ) as finding_order,
        count(*) over (partition by monitor_key, window_end) as n_findings
    from findings
),

rated as (
    select
        ranked.*,
        worst.reason as worst_reason,
        worst.n_findings,
        case worst_rank
            when 5 then 'critical'
            when 4 then 'warning'
            when 3 then 'insufficient_data'
            when 2 then 'no_reference'
            when 1 then 'ok'
            else 'not_judged'
        end as status
    from ranked
    left join ordered_findings as worst
        on
            ranked.monitor_key = worst.monitor_key
            and ranked.window_end = worst.window_end
            and worst.finding_order = 1
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
    rated.is_mature,
    rated.latency_p99_ms,
    rated.error_rate,
    cast(coalesce(rated.n_predictions, 0) as bigint) as n_predictions,
    rated.data_through_at,
    rated.status,
    cast(rated.worst_rank as integer) as status_rank,
    'worst_area' as reason_code,
    case
        when rated.worst_rank < 4 then 'No area is at warning or critical.'
        when rated.n_findings = 1 then rated.worst_reason
        else rated.worst_reason || ' And '
            || cast(rated.n_findings - 1 as {{ dbt.type_string() }}) || ' more.'
    end as reason
from rated
