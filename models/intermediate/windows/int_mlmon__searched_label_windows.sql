-- One row per monitor, version and window whose predictions have labels: what the label log holds for them.
-- Labels join every version that scored their request; errors take no label.
with

predictions as (
    select
        monitor,
        model_version,
        request_id,
        predicted_at,
        window_index
    from {{ ref('int_mlmon__resolved_predictions') }}
    where is_counting and is_success
),

labels as (
    select * from {{ ref('int_mlmon__label_log') }}
    where quarantine_reason is null and has_label
),

label_rows as (
    select
        predictions.monitor,
        predictions.model_version,
        predictions.window_index,
        labels.request_id,
        labels.loaded_at,
        labels.labeled_at < predictions.predicted_at as is_early,
        {{ mlmon.row_checksum([
            'labels.request_id', mlmon.microseconds('labels.labeled_at'),
            mlmon.microseconds('labels.loaded_at'), 'labels.label_class',
            'labels.label_value',
        ]) }} as row_checksum
    from labels
    inner join predictions
        on
            labels.monitor = predictions.monitor
            and labels.request_id = predictions.request_id
)

select
    monitor,
    model_version,
    window_index,
    count(*) as n_labels,
    max(loaded_at) as last_label_loaded_at,
    sum(row_checksum) as checksum
from label_rows
group by monitor, model_version, window_index
