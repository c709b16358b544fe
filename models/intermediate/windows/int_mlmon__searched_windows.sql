-- One row per monitor, version and window in the searched part of the prediction logs: what is in it now.
with

predictions as (
    select * from {{ ref('int_mlmon__resolved_predictions') }}
),

bounds as (
    select * from {{ ref('int_mlmon__log_bounds') }}
),

charged as (
    select
        predictions.monitor,
        predictions.model_version,
        predictions.window_index,
        predictions.predicted_at,
        predictions.loaded_at,
        predictions.is_success,
        predictions.is_counting,
        {{ mlmon.add_time(
            'predictions.predicted_at', 'bounds.close_after_minutes', 'minute'
        ) }} as due_at,
        bounds.close_after_minutes,
        {{ mlmon.ledger_checksum([
            'predictions.request_id', mlmon.microseconds('predictions.predicted_at'),
            mlmon.microseconds('predictions.loaded_at'), 'predictions.outcome',
            'predictions.is_counting',
        ]) }} as row_checksum
    from predictions
    inner join bounds
        on predictions.monitor = bounds.monitor
),

windows as (
    select
        monitor,
        model_version,
        window_index,
        count(*) as n_log_rows,
        sum(case when is_counting then 1 else 0 end) as n_predictions,
        sum(case when is_counting and not is_success then 1 else 0 end) as n_errors,
        sum(case when is_counting then 0 else 1 end) as n_duplicates,
        -- Nearly every row is on time, which the first comparison tells without the window's end.
        sum(
            case
                when loaded_at <= due_at then 0
                when loaded_at <= {{ mlmon.add_time(
                    mlmon.window_start('window_index + 1'), 'close_after_minutes', 'minute'
                ) }} then 0
                else 1
            end
        ) as n_late_rows,
        sum(
            case
                when loaded_at >= predicted_at then 0
                when loaded_at < {{ mlmon.add_time('predicted_at', '-5', 'second') }} then 1
                else 0
            end
        ) as n_skewed_rows,
        min(predicted_at) as first_predicted_at,
        max(predicted_at) as last_predicted_at,
        min(loaded_at) as first_loaded_at,
        max(loaded_at) as last_loaded_at,
        max(
            {{ mlmon.microseconds('loaded_at') }} - {{ mlmon.microseconds('predicted_at') }}
        ) as max_load_delay_microseconds,
        sum(row_checksum) as checksum
    from charged
    group by monitor, model_version, window_index
)

select
    windows.*,
    {{ mlmon.window_start('window_index') }} as window_start,
    {{ mlmon.window_start('window_index + 1') }} as window_end
from windows
