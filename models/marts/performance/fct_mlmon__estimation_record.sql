-- One row per monitor, version, metric, method and span: how well the estimates of the whole
-- monitor agreed with the labels that came later. It tells how far an estimate can be trusted.
with

estimates as (
    select * from {{ ref('fct_mlmon__estimated_performance') }}
    where segment_name = 'all' and realised_value is not null
)

select
    monitor_key,
    monitor,
    model_version,
    metric,
    method,
    span_windows,
    cast(count(*) as bigint) as n_windows,
    avg(estimation_error) as mean_error,
    avg(abs(estimation_error)) as mean_absolute_error,
    avg(cast(case when is_covered then 1 else 0 end as {{ mlmon.type_double() }})) as covered_share
from estimates
group by monitor_key, monitor, model_version, metric, method, span_windows
