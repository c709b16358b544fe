-- One row per monitor of classes and text that a class has in its logs, over the 28 days before the newest closed
-- window: in how many predictions and labels. Texts in one log alone are never equal to any in the other.
with

bounds as (
    select
        bounds.monitor,
        settings.task,
        bounds.last_closed_index,
        bounds.last_closed_index - 28 * settings.windows_per_day as before_index,
        {{ mlmon.window_start(
            'bounds.last_closed_index - 28 * settings.windows_per_day', 'bounds.monitor'
        ) }} as first_at
    from {{ ref('int_mlmon__log_bounds') }} as bounds
    inner join {{ ref('int_mlmon__settings') }} as settings
        on bounds.monitor = settings.monitor
    where settings.task in ('binary', 'multiclass')
),

sides as (
    select
        bounds.monitor,
        logged.prediction_text as class_text,
        count(*) as n_predictions,
        0 as n_labels
    from {{ ref('stg_mlmon__predictions') }} as logged
    inner join bounds
        on
            logged.monitor = bounds.monitor
            and logged.predicted_at >= bounds.first_at
            and logged.window_index > bounds.before_index
            and logged.window_index <= bounds.last_closed_index
    where logged.quarantine_reason is null and logged.prediction_text is not null
    group by bounds.monitor, logged.prediction_text

    union all

    select
        bounds.monitor,
        logged.label_text as class_text,
        0 as n_predictions,
        count(*) as n_labels
    from {{ ref('stg_mlmon__labels') }} as logged
    inner join bounds
        on
            logged.monitor = bounds.monitor
            and logged.labeled_at >= bounds.first_at
    where logged.quarantine_reason is null and logged.label_text is not null
    group by bounds.monitor, logged.label_text
)

select
    monitor,
    class_text,
    cast(sum(n_predictions) as bigint) as n_predictions,
    cast(sum(n_labels) as bigint) as n_labels
from sides
group by monitor, class_text
