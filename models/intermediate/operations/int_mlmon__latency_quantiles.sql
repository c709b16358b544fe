-- One row per monitor, version, closed window end, span and segment: latency quantiles merged from the bucket
-- counts. The value of a rank is the middle of its bucket (relative error at most 1 %); between two ranks it is
-- interpolated linearly, as in the exact quantiles.
with

spans as (
    select * from {{ ref('int_mlmon__version_spans') }}
),

buckets as (
    select * from {{ ref('int_mlmon__latency_counts') }}
    where bucket is not null
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
),

-- Rank p (n - 1) / 100 from 0 lies between the whole ranks below and above it.
ranked as (
    select
        monitor_key,
        window_index,
        span_windows,
        segment_name,
        segment_value,
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
    group by monitor_key, window_index, span_windows, segment_name, segment_value
)

select
    monitor_key,
    window_index,
    span_windows,
    segment_name,
    segment_value,
    {%- for percent in [50, 90, 95, 99] %}
    below_{{ percent }} + (above_{{ percent }} - below_{{ percent }})
    * mod({{ percent }} * (n_total - 1), 100) / 100.0 as latency_p{{ percent }}_ms
    {{- ',' if not loop.last }}
    {%- endfor %}
from ranked
