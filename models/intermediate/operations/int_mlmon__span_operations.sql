-- One row per monitor, version, window end, span and segment: the sums of its windows.
with

spans as (
    select * from {{ ref('int_mlmon__operation_spans') }}
),

sums as (
    select * from {{ ref('int_mlmon__operation_sums') }}
),

summed as (
    select
        spans.monitor_key,
        spans.window_index,
        spans.span_windows,
        sums.segment_name,
        sums.segment_value,
        sum(sums.n_requests) as n_requests,
        sum(sums.n_errors) as n_errors,
        sum(sums.n_latency) as n_latency,
        sum(sums.n_within_slo) as n_within_slo,
        sum(sums.latency_sum_ms) as latency_sum_ms,
        sum(sums.latency_sum_squares) as latency_sum_squares,
        max(sums.latency_p50_ms) as latency_p50_ms,
        max(sums.latency_p90_ms) as latency_p90_ms,
        max(sums.latency_p95_ms) as latency_p95_ms,
        max(sums.latency_p99_ms) as latency_p99_ms,
        max(sums.latency_max_ms) as latency_max_ms,
        count(*) as n_facts
    from spans
    inner join sums
        on
            spans.monitor = sums.monitor
            and spans.model_version in ('all', sums.model_version)
            and sums.window_index between spans.first_index and spans.window_index
    where sums.segment_name = 'all' or spans.is_default_span or spans.span_windows = 1
    group by
        spans.monitor_key, spans.window_index, spans.span_windows,
        sums.segment_name, sums.segment_value
)

select * from summed
