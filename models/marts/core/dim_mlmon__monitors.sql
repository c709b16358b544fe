-- One row per monitor and version: what is watched, since when, against which reference, by whom. A
-- monitor whose log is empty has one row with the version 'none'.
with

settings as (
    select * from {{ ref('int_mlmon__settings') }}
),

spans as (
    select
        monitor,
        max(span_windows) as default_span_windows
    from ({{ mlmon.span_settings() }}) as configured
    group by monitor
),

verdict_spans as (
    select
        monitor_key,
        max(span_windows) as span_windows
    from {{ ref('int_mlmon__spans') }}
    where is_verdict
    group by monitor_key
),

versions as (
    {{ mlmon.versions() }}
),

bounds as (
    select * from {{ ref('int_mlmon__log_bounds') }}
),

reference_facts as (
    select * from {{ ref('int_mlmon__references') }}
),

watched as (
    select
        monitor,
        count(*) as n_features
    from {{ ref('int_mlmon__column_settings') }}
    where column_role = 'feature'
    group by monitor
),

-- What a log has is seen from its rows: a column that is mapped may be empty.
logged as (
    select
        monitor,
        model_version,
        sum(n_latency) > 0 as has_latency
    from {{ ref('int_mlmon__operation_sums') }}
    where segment_name = 'all'
    group by monitor, model_version
),

scored as (
    select
        monitor,
        model_version,
        bool_or(column_role = 'score' and n > n_missing) as has_score,
        bool_or(column_role = 'prediction' and n > n_missing) as has_prediction
    from {{ ref('int_mlmon__column_counts') }}
    where segment_name = 'all' and column_role in ('score', 'prediction')
    group by monitor, model_version
)

select
    {{ mlmon.monitor_key('settings.monitor', "coalesce(versions.model_version, 'none')") }}
        as monitor_key,
    settings.monitor,
    coalesce(versions.model_version, 'none') as model_version,
    settings.task,
    settings.grain,
    cast(spans.default_span_windows as integer) as default_span_windows,
    cast(coalesce(verdict_spans.span_windows, spans.default_span_windows) as integer)
        as verdict_span_windows,
    cast(settings.label_horizon_days as integer) as label_horizon_days,
    settings.primary_metric,
    settings.owner,
    settings.description,
    settings.dashboard_url,
    case
        when
            settings.compared_with = 'reference'
            or versions.model_version = settings.compared_version
            then settings.reference_kind
        else settings.compared_with
    end as reference_kind,
    reference_facts.reference_hash,
    reference_facts.reference_start_at,
    reference_facts.reference_end_at,
    cast(reference_facts.n_reference as bigint) as n_reference,
    cast(coalesce(watched.n_features, 0) as integer) as n_features,
    settings.has_labels,
    coalesce(scored.has_score, false) as has_score,
    coalesce(scored.has_prediction, false) as has_prediction,
    coalesce(logged.has_latency, false) as has_latency,
    versions.first_predicted_at,
    versions.last_predicted_at,
    bounds.data_through_at,
    coalesce(versions.is_current_version, false) as is_current_version,
    -- Served in one of the newest two closed windows.
    coalesce(versions.last_index >= bounds.last_closed_index - 1, false) as is_active
from settings
inner join spans
    on settings.monitor = spans.monitor
left join versions
    on settings.monitor = versions.monitor
left join verdict_spans
    on
        verdict_spans.monitor_key
        = {{ mlmon.monitor_key('settings.monitor', 'versions.model_version') }}
left join bounds
    on settings.monitor = bounds.monitor
left join watched
    on settings.monitor = watched.monitor
left join logged
    on
        versions.monitor = logged.monitor
        and versions.model_version = logged.model_version
left join scored
    on
        versions.monitor = scored.monitor
        and versions.model_version = scored.model_version
left join reference_facts
    on versions.reference_key = reference_facts.reference_key
