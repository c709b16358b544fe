-- One row per monitor, version ('all' for all versions together), window end, span and segment:
-- throughput, errors and latency. Open windows are shown at span 1. Quantiles are exact at span 1,
-- within 1 % over longer spans and several versions.
with

settings as (
    select * from {{ ref('int_mlmon__settings') }}
),

spans as (
    {{ mlmon.operation_spans() }}
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

-- Latency quantiles merged from the bucket counts: the value of a rank is the middle of its
-- bucket (relative error at most 1 %); between two ranks it is interpolated linearly, as in
-- the exact quantiles. There are many buckets, and numbers group faster than keys.
numbered_spans as (
    select
        spans.*,
        row_number() over (order by monitor_key, window_index, span_windows) as span_number
    from spans
    -- One window of one version is one fact, whose quantiles are exact.
    where is_closed and (span_windows > 1 or model_version = 'all')
),

numbered_segments as (
    select
        segment_name,
        segment_value,
        row_number() over (order by segment_name, segment_value) as segment_number
    from sums
    group by segment_name, segment_value
),

buckets as (
    select
        counts.monitor,
        counts.model_version,
        counts.window_index,
        counts.segment_name,
        segments.segment_number,
        counts.bucket,
        counts.n
    from {{ ref('int_mlmon__latency_counts') }} as counts
    inner join numbered_segments as segments
        on
            counts.segment_name = segments.segment_name
            and counts.segment_value = segments.segment_value
    where counts.bucket is not null
),

-- The windows of each span, one by one: equal keys join faster than ranges.
windows_of_spans as (
    select
        spans.span_number,
        spans.span_windows = 1 or spans.is_default_span as has_segments,
        sums.monitor,
        sums.model_version,
        sums.window_index
    from numbered_spans as spans
    inner join sums
        on
            spans.monitor = sums.monitor
            and spans.model_version in ('all', sums.model_version)
            and sums.window_index between spans.first_index and spans.window_index
    where sums.segment_name = 'all'
),

merged as (
    select
        windows.span_number,
        buckets.segment_number,
        buckets.bucket,
        sum(buckets.n) as n
    from windows_of_spans as windows
    inner join buckets
        on
            windows.monitor = buckets.monitor
            and windows.model_version = buckets.model_version
            and windows.window_index = buckets.window_index
    where buckets.segment_name = 'all' or windows.has_segments
    group by windows.span_number, buckets.segment_number, buckets.bucket
),

accumulated as (
    select
        merged.*,
        sum(n) over (
            partition by span_number, segment_number
            order by bucket
            rows between unbounded preceding and current row
        ) as n_up_to,
        sum(n) over (partition by span_number, segment_number) as n_total
    from merged
),

-- Rank p (n - 1) / 100 from 0 lies between the whole ranks below and above it.
ranked as (
    select
        span_number,
        segment_number,
        max(n_total) as n_total
        {%- for percent in [50, 90, 95, 99] %},
        {{ mlmon.latency_of_bucket(
            'min(case when 100 * n_up_to > ' ~ percent ~ ' * (n_total - 1) then bucket end)'
        ) }} as below_{{ percent }},
        {{ mlmon.latency_of_bucket(
            'min(case when 100 * (n_up_to - 1) >= ' ~ percent ~ ' * (n_total - 1) then bucket end)'
        ) }} as above_{{ percent }}
        {%- endfor %}
    from accumulated
    group by span_number, segment_number
),

merged_quantiles as (
    select
        spans.monitor_key,
        spans.window_index,
        spans.span_windows,
        segments.segment_name,
        segments.segment_value,
        {%- for percent in [50, 90, 95, 99] %}
        ranked.below_{{ percent }} + (ranked.above_{{ percent }} - ranked.below_{{ percent }})
        * mod({{ percent }} * (ranked.n_total - 1), 100) / 100.0 as latency_p{{ percent }}_ms
        {{- ',' if not loop.last }}
        {%- endfor %}
    from ranked
    inner join numbered_spans as spans
        on ranked.span_number = spans.span_number
    inner join numbered_segments as segments
        on ranked.segment_number = segments.segment_number
),

-- What the slowest requests usually took in the reference, where that has at least eight
-- base windows in the log with a hundred latencies.
versions as (
    {{ mlmon.versions() }}
),

reference_facts as (
    select * from {{ ref('int_mlmon__references') }}
),

-- Below that the percentile is little more than the slowest request.
timed as (
    select * from {{ ref('int_mlmon__operation_sums') }}
    where segment_name = 'all' and n_latency >= 100
),

usual as (
    select
        versions.monitor_key,
        count(distinct timed.window_index) as n_windows,
        {{ mlmon.quantiles('timed.latency_p99_ms', [50]) }}
    from versions
    inner join reference_facts
        on versions.reference_key = reference_facts.reference_key
    inner join timed
        on
            reference_facts.monitor = timed.monitor
            and timed.window_index
            between reference_facts.first_index and reference_facts.last_index
            and coalesce(reference_facts.logged_version, 'all') in ('all', timed.model_version)
    group by versions.monitor_key
),

reference_latencies as (
    select
        monitor_key,
        {{ mlmon.quantile([50], 50) }} as latency_p99_ms
    from usual
    where n_windows >= 8
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
