-- One row per monitor, version ('all' beside each), window end, span and segment: throughput, errors and latency.
-- Open windows are shown at span 1. Quantiles are exact at span 1, within 1 % over longer spans and several versions.
with

settings as (
    select * from {{ ref('int_mlmon__settings') }}
),

spans as (
    select * from {{ ref('int_mlmon__operation_spans') }}
),

summed as (
    select * from {{ ref('int_mlmon__span_operations') }}
),

merged_quantiles as (
    select * from {{ ref('int_mlmon__latency_quantiles') }}
),

reference_latencies as (
    select * from {{ ref('int_mlmon__reference_latencies') }}
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
    case when summed.segment_name = 'all' then reference_latencies.latency_p99_ms end
        as reference_latency_p99_ms,
    case
        when coalesce(summed.n_latency, 0) = 0 then 'none'
        when summed.n_facts = 1 then 'exact'
        else 'binned'
    end as quantile_method,
    settings.slo_latency_ms,
    settings.slo_target,
    case
        when settings.slo_latency_ms is not null
            then
                cast(summed.n_within_slo as {{ mlmon.type_double() }})
                / nullif(summed.n_latency, 0)
    end as slo_attained_share,
    -- 1 where just as many miss the objective as may.
    case
        when settings.slo_latency_ms is not null
            then
                cast(summed.n_latency - summed.n_within_slo as {{ mlmon.type_double() }})
                / nullif(summed.n_latency, 0) / (1 - settings.slo_target)
    end as error_budget_burn,
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
left join reference_latencies
    on spans.monitor_key = reference_latencies.monitor_key
