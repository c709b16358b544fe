-- One row per window of a monitor with scores, predicted class, score, or score of each class, and value of each segment: how many
-- predictions, labelled or not. Binary scores that are missing or no probability are one. Performance is estimated from it before labels arrive.
{{ config(
    materialized='incremental',
    incremental_strategy='mlmon_windows',
    unique_key='window_key',
    on_schema_change='append_new_columns',
    meta={'stale': 'predictions'},
    post_hook="{{ mlmon.record_windows('predictions') }}",
) }}
{%- set segments = range(1, mlmon.slot_counts()['segment'] + 1) | list %}

with

touched as (
    select
        touched.*,
        settings.has_score
    from {{ ref('int_mlmon__stale_windows') }} as touched
    inner join {{ ref('int_mlmon__settings') }} as settings
        on
            touched.facts = 'predictions'
            and touched.monitor = settings.monitor
            and (settings.has_score or settings.n_class_scores > 0)
            and settings.has_labels
),

predictions as (
    select
        predictions.*,
        case
            when predictions.score >= 0 and predictions.score <= 1 then predictions.score
        end as probable_score
    from {{ ref('int_mlmon__touched_predictions') }} as predictions
    where predictions.is_success
)

select
    touched.window_key,
    predictions.prediction_class as predicted_class,
    case when touched.has_score then predictions.probable_score end as score
    {{- mlmon.class_scores_of('predictions') }}
    {%- for number in segments %},
    predictions.segment_{{ number }}
    {%- endfor %},
    cast(count(*) as bigint) as n
from predictions
inner join touched
    on predictions.window_number = touched.window_number
group by
    touched.window_key, touched.has_score, predictions.prediction_class,
    predictions.probable_score
    {{- mlmon.class_scores_of('predictions') }}
    {%- for number in segments %}, predictions.segment_{{ number }}{% endfor %}
