-- One row per monitor, version, closed window end, span and segment: latency quantiles merged from the bucket
-- counts, the middle of the bucket that holds the rank (relative error at most 1 %).
with

spans as (
    select * from {{ ref('int_mlmon__version_spans') }}
),

buckets as (
    select * from {{ ref('int_mlmon__latency_counts') }}
),

merged as (
    select
        spans.monitor_key,
        spans.window_index,
        spans.span_windows,
        buckets.segment_name,
        buckets.segment_value,
        buckets.bucket,
        sum(buckets.n) as n
    from spans
    inner join buckets
        on
            spans.monitor = buckets.monitor
            and spans.model_version in ('all', buckets.model_version)
            and buckets.window_index between spans.first_index and spans.window_index
    where buckets.segment_name = 'all' or spans.is_default_span or spans.span_windows = 1
    group by
        spans.monitor_key, spans.window_index, spans.span_windows,
        buckets.segment_name, buckets.segment_value, buckets.bucket
),

accumulated as (
    select
        merged.*,
        sum(n) over (
            partition by monitor_key, window_index, span_windows, segment_name, segment_value
            order by bucket
            rows between unbounded preceding and current row
        ) as n_up_to,
        sum(n) over (
            partition by monitor_key, window_index, span_windows, segment_name, segment_value
        ) as n_total
    from merged
)

select
    monitor_key,
    window_index,
    span_windows,
    segment_name,
    segment_value,
    {%- for percent in [50, 90, 95, 99] %}
    {{ mlmon.latency_of_bucket(
        'min(case when 100 * (n_up_to - 1) >= ' ~ percent ~ ' * (n_total - 1) then bucket end)'
    ) }} as latency_p{{ percent }}_ms{{ ',' if not loop.last }}
    {%- endfor %}
from accumulated
group by monitor_key, window_index, span_windows, segment_name, segment_value
