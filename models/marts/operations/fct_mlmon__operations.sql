-- One row per monitor, version ('all' beside each), window end, span and segment: throughput, errors and latency.
-- Open windows are shown at span 1. Quantiles are exact at span 1, within 1 % over longer spans.
with

spine as (
    select * from {{ ref('int_mlmon__spine') }}
),

settings as (
    select * from {{ ref('int_mlmon__settings') }}
),

closed_spans as (
    select
        monitor_key,
        monitor,
        model_version,
        window_index,
        first_index,
        window_start,
        window_end,
        window_date,
        span_windows,
        is_default_span,
        true as is_closed
    from {{ ref('int_mlmon__version_spans') }}
),

open_windows as (
    select
        monitor_key,
        monitor,
        model_version,
        window_index,
        window_index as first_index,
        window_start,
        window_end,
        window_date,
        1 as span_windows,
        false as is_default_span,
        false as is_closed
    from spine
    where not is_closed

    union all

    select distinct
        {{ mlmon.monitor_key('monitor', "'all'") }} as monitor_key,
        monitor,
        cast('all' as {{ dbt.type_string() }}) as model_version,
        window_index,
        window_index as first_index,
        window_start,
        window_end,
        window_date,
        1 as span_windows,
        false as is_default_span,
        false as is_closed
    from spine
    where not is_closed
),

spans as (
    select * from closed_spans
    union all
    select * from open_windows
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
),

merged_quantiles as (
    select * from {{ ref('int_mlmon__latency_quantiles') }}
)

select
    {{ mlmon.window_columns('spans') }},
    coalesce(summed.segment_name, 'all') as segment_name,
    coalesce(summed.segment_value, 'all') as segment_value,
    cast(coalesce(summed.n_requests, 0) as bigint) as n_requests,
    cast(coalesce(summed.n_errors, 0) as bigint) as n_errors,
    cast(coalesce(summed.n_latency, 0) as bigint) as n_latency,
    coalesce(summed.n_requests, 0) / (
        cast(
            {{ mlmon.microseconds('spans.window_end') }}
            - {{ mlmon.microseconds('spans.window_start') }} as {{ mlmon.type_double() }}
        ) / 1000000
    ) as requests_per_second,
    cast(summed.n_errors as {{ mlmon.type_double() }})
    / nullif(summed.n_requests, 0) as error_rate,
    summed.latency_sum_ms / nullif(summed.n_latency, 0) as latency_mean_ms,
    case
        when summed.n_latency > 1
            then sqrt(greatest(
                0,
                (
                    summed.latency_sum_squares
                    - summed.latency_sum_ms * (summed.latency_sum_ms / summed.n_latency)
                ) / (summed.n_latency - 1)
            ))
    end as latency_stddev_ms,
    {%- for percent in [50, 90, 95, 99] %}
    case
        when summed.n_facts = 1 then summed.latency_p{{ percent }}_ms
        else merged_quantiles.latency_p{{ percent }}_ms
    end as latency_p{{ percent }}_ms,
    {%- endfor %}
    summed.latency_max_ms,
    case
        when coalesce(summed.n_latency, 0) = 0 then 'none'
        when summed.n_facts = 1 then 'exact'
        else 'binned'
    end as quantile_method,
    settings.slo_latency_ms,
    case
        when settings.slo_latency_ms is not null
            then
                cast(summed.n_within_slo as {{ mlmon.type_double() }})
                / nullif(summed.n_latency, 0)
    end as slo_attained_share,
    spans.is_closed
from spans
inner join settings
    on spans.monitor = settings.monitor
left join summed
    on
        spans.monitor_key = summed.monitor_key
        and spans.window_index = summed.window_index
        and spans.span_windows = summed.span_windows
left join merged_quantiles
    on
        summed.monitor_key = merged_quantiles.monitor_key
        and summed.window_index = merged_quantiles.window_index
        and summed.span_windows = merged_quantiles.span_windows
        and summed.segment_name = merged_quantiles.segment_name
        and summed.segment_value = merged_quantiles.segment_value
