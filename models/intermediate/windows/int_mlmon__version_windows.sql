-- One row per monitor, version ('all' for all versions together) and base window of the spine, with
-- what the ledger says of it. It is the small table that fct_mlmon__windows, label coverage and the
-- volume checks are computed from.
with

spine as (
    select * from {{ ref('int_mlmon__spine') }}
),

windows as (
    select * from {{ ref('int_mlmon__windows') }}
),

by_version as (
    select
        spine.monitor,
        spine.model_version,
        spine.window_index,
        spine.window_start,
        spine.window_end,
        spine.window_date,
        spine.is_closed,
        coalesce(windows.n_log_rows, 0) as n_log_rows,
        coalesce(windows.n_predictions, 0) as n_predictions,
        coalesce(windows.n_errors, 0) as n_errors,
        coalesce(windows.n_duplicates, 0) as n_duplicates,
        coalesce(windows.n_late_rows, 0) as n_late_rows,
        coalesce(windows.n_skewed_rows, 0) as n_skewed_rows,
        coalesce(windows.n_labels, 0) as n_labels,
        windows.last_predicted_at,
        windows.first_loaded_at,
        windows.last_loaded_at,
        windows.last_label_loaded_at,
        windows.max_load_delay_microseconds
    from spine
    left join windows
        on spine.window_key = windows.window_key
),

all_versions as (
    select
        monitor,
        cast('all' as {{ dbt.type_string() }}) as model_version,
        window_index,
        min(window_start) as window_start,
        min(window_end) as window_end,
        min(window_date) as window_date,
        bool_or(is_closed) as is_closed,
        sum(n_log_rows) as n_log_rows,
        sum(n_predictions) as n_predictions,
        sum(n_errors) as n_errors,
        sum(n_duplicates) as n_duplicates,
        sum(n_late_rows) as n_late_rows,
        sum(n_skewed_rows) as n_skewed_rows,
        sum(n_labels) as n_labels,
        max(last_predicted_at) as last_predicted_at,
        min(first_loaded_at) as first_loaded_at,
        max(last_loaded_at) as last_loaded_at,
        max(last_label_loaded_at) as last_label_loaded_at,
        max(max_load_delay_microseconds) as max_load_delay_microseconds
    from by_version
    group by monitor, window_index
),

shown as (
    select * from by_version
    union all
    select * from all_versions
)

select
    shown.*,
    {{ mlmon.monitor_key('shown.monitor', 'shown.model_version') }} as monitor_key,
    bounds.data_through_at,
    {{ mlmon.add_time('shown.window_end', 'settings.label_horizon_days', 'day') }} as mature_at,
    settings.has_labels
from shown
inner join {{ ref('int_mlmon__log_bounds') }} as bounds
    on shown.monitor = bounds.monitor
inner join {{ ref('int_mlmon__settings') }} as settings
    on shown.monitor = settings.monitor
