-- One row per counting prediction of the touched windows and label of its request, with the label's age.
{{ config(materialized='view') }}

with

touched as (
    select * from {{ ref('int_mlmon__touched_label_windows') }}
    where monitor is not null
),

predictions as {{ mlmon.inlined() }} (
    select
        touched.window_key,
        touched.window_index,
        touched.edge_set_number,
        resolved.monitor,
        resolved.model_version,
        resolved.request_id,
        resolved.predicted_at,
        resolved.prediction_class,
        {{ mlmon.nan_to_null('resolved.prediction_value') }} as prediction_value,
        {{ mlmon.nan_to_null('resolved.score') }} as score
        {{- mlmon.class_scores_of('resolved', clean=true) }}
        {%- for number in range(1, mlmon.slot_counts()['segment'] + 1) %},
        resolved.segment_{{ number }}
        {%- endfor %}
    from {{ ref('int_mlmon__resolved_predictions') }} as resolved
    inner join touched
        on
            resolved.monitor = touched.monitor
            and resolved.model_version = touched.model_version
            and resolved.window_index = touched.window_index
    where resolved.is_counting and resolved.is_success
),

labels as {{ mlmon.inlined() }} (
    select * from {{ ref('int_mlmon__label_log') }}
    where quarantine_reason is null and has_label
),

label_rows as (
    select
        predictions.*,
        labels.label_class,
        {{ mlmon.nan_to_null('labels.label_value') }} as label_value,
        labels.labeled_at,
        labels.loaded_at as label_loaded_at,
        labels.labeled_at < predictions.predicted_at as is_early,
        greatest(
            {{ mlmon.microseconds('labels.labeled_at') }}
            - {{ mlmon.microseconds('predictions.predicted_at') }},
            0
        ) as age_microseconds
    from predictions
    inner join labels
        on
            predictions.monitor = labels.monitor
            and predictions.request_id = labels.request_id
)

select * from label_rows
