-- One row per monitor and version whose reference has at least eight base windows in the log with a hundred
-- latencies: the median of their 99th percentiles, what the slowest requests of a window usually took.
with

versions as (
    select * from {{ ref('int_mlmon__versions') }}
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
)

select
    monitor_key,
    {{ mlmon.quantile([50], 50) }} as latency_p99_ms
from usual
where n_windows >= 8
