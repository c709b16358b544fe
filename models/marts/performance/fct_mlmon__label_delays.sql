-- One row per monitor, version, base window and age: the share of its predictions that had a label
-- at that age. It is the maturity curve: how long labels take.
with

coverage as (
    select * from {{ ref('int_mlmon__label_coverage') }}
    where segment_name = 'all' and label_age_days is not null
),

windows as (
    select * from {{ ref('int_mlmon__version_windows') }}
)

select
    windows.monitor_key,
    windows.monitor,
    windows.model_version,
    windows.window_start,
    windows.window_end,
    windows.window_date,
    cast(1 as integer) as span_windows,
    cast(coverage.label_age_days as integer) as age_days,
    cast(coverage.n_predictions as bigint) as n_predictions,
    cast(coverage.n_labelled as bigint) as n_labelled,
    coverage.label_coverage,
    coverage.expected_label_coverage,
    coverage.is_complete
from coverage
inner join windows
    on
        coverage.monitor = windows.monitor
        and coverage.model_version = windows.model_version
        and coverage.window_index = windows.window_index
where windows.is_closed
