-- One row per monitor, version ('all' for all versions together) and base window: whether the logs
-- arrived, and the labels. Windows without predictions between a version's first and last are rows
-- too; open windows are shown.
with

windows as (
    select * from {{ ref('int_mlmon__version_windows') }}
),

coverage as (
    select * from {{ ref('int_mlmon__label_coverage') }}
),

latest as (
    select * from coverage
    where segment_name = 'all' and label_age = 'latest'
),

-- The expectation at the greatest label age this window has fully lived through.
lived_through as (
    select
        coverage.monitor,
        coverage.model_version,
        coverage.window_index,
        coverage.expected_label_coverage,
        row_number() over (
            partition by coverage.monitor, coverage.model_version, coverage.window_index
            order by coverage.label_age_days desc
        ) as age_rank
    from coverage
    where
        coverage.segment_name = 'all'
        and coverage.label_age_days is not null
        and coverage.is_complete
)

select
    windows.window_key,
    windows.monitor_key,
    windows.monitor,
    windows.model_version,
    windows.window_start,
    windows.window_end,
    windows.window_date,
    cast(1 as integer) as span_windows,
    cast(windows.n_log_rows as bigint) as n_log_rows,
    cast(windows.n_predictions as bigint) as n_predictions,
    cast(windows.n_errors as bigint) as n_errors,
    cast(windows.n_duplicates as bigint) as n_duplicates,
    cast(windows.n_late_rows as bigint) as n_late_rows,
    cast(windows.n_labels as bigint) as n_labels,
    cast(coalesce(latest.n_labelled, 0) as bigint) as n_labelled,
    cast(coalesce(latest.n_label_revisions, 0) as bigint) as n_label_revisions,
    cast(coalesce(latest.n_early_labels, 0) as bigint) as n_early_labels,
    latest.label_coverage,
    lived_through.expected_label_coverage,
    case
        when windows.data_through_at >= windows.mature_at then 1 - latest.label_coverage
    end as never_labelled_share,
    windows.first_loaded_at,
    windows.last_loaded_at,
    windows.last_label_loaded_at,
    cast(windows.max_load_delay_microseconds as {{ mlmon.type_double() }}) / 1000000
        as max_load_delay_seconds,
    windows.mature_at,
    windows.is_closed,
    windows.data_through_at >= windows.mature_at as is_mature
from windows
left join latest
    on
        windows.monitor = latest.monitor
        and windows.model_version = latest.model_version
        and windows.window_index = latest.window_index
left join lived_through
    on
        windows.monitor = lived_through.monitor
        and windows.model_version = lived_through.model_version
        and windows.window_index = lived_through.window_index
        and lived_through.age_rank = 1
