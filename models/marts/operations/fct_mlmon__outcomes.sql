-- One row per monitor, version ('all' for all versions together), window end, span, segment and
-- outcome: how its requests ended. Open windows are shown at span 1.
with

spans as (
    {{ mlmon.operation_spans() }}
),

-- However long they took. Summed first, because spans overlap.
counts as (
    select
        monitor,
        model_version,
        window_index,
        segment_name,
        segment_value,
        outcome,
        is_success,
        sum(n) as n
    from {{ ref('int_mlmon__latency_counts') }}
    group by
        monitor, model_version, window_index, segment_name, segment_value, outcome, is_success
),

summed as (
    select
        spans.monitor_key,
        spans.window_index,
        spans.span_windows,
        counts.segment_name,
        counts.segment_value,
        counts.outcome,
        counts.is_success,
        sum(counts.n) as n
    from spans
    inner join counts
        on
            spans.monitor = counts.monitor
            and spans.model_version in ('all', counts.model_version)
            and counts.window_index between spans.first_index and spans.window_index
    where counts.segment_name = 'all' or spans.is_default_span or spans.span_windows = 1
    group by
        spans.monitor_key, spans.window_index, spans.span_windows,
        counts.segment_name, counts.segment_value, counts.outcome, counts.is_success
),

shares as (
    select
        summed.*,
        cast(n as {{ mlmon.type_double() }}) / sum(n) over (
            partition by monitor_key, window_index, span_windows, segment_name, segment_value
        ) as share
    from summed
)

select
    {{ mlmon.window_columns('spans') }},
    shares.segment_name,
    shares.segment_value,
    shares.outcome,
    cast(shares.n as bigint) as n,
    shares.share,
    not shares.is_success as is_error,
    spans.is_closed
from shares
inner join spans
    on
        shares.monitor_key = spans.monitor_key
        and shares.window_index = spans.window_index
        and shares.span_windows = spans.span_windows
