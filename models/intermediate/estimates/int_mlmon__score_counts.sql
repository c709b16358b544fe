-- One row per window of a monitor with scores and labels, predicted class, score and value of each
-- segment: how many predictions, labelled or not. Performance is estimated from it before labels
-- arrive. Scores that are missing or no probability are counted as one.
{%- set segments = range(1, mlmon.slot_counts()['segment'] + 1) | list %}
{%- set grain = ['window_key', 'predicted_class', 'score'] %}
{%- for number in segments %}{%- do grain.append('segment_' ~ number) %}{%- endfor %}
{{ config(
    materialized='incremental',
    incremental_strategy='mlmon_windows',
    unique_key='window_key',
    on_schema_change='append_new_columns',
    meta={'stale': 'predictions', 'grain': grain},
    post_hook="{{ mlmon.record_windows('predictions') }}",
) }}

with

stale as (
    select stale.*
    from {{ ref('int_mlmon__stale_windows') }} as stale
    inner join {{ ref('int_mlmon__settings') }} as settings
        on
            stale.facts = 'predictions'
            and stale.monitor = settings.monitor
            and settings.has_score
            and settings.has_labels
),

predictions as (
    select
        predictions.*,
        case
            when predictions.score >= 0 and predictions.score <= 1 then predictions.score
        end as probable_score
    from {{ ref('int_mlmon__stale_predictions') }} as predictions
    where predictions.is_success and not predictions.is_reference
)

select
    stale.window_key,
    predictions.prediction_class as predicted_class,
    predictions.probable_score as score
    {%- for number in segments %},
    predictions.segment_{{ number }}
    {%- endfor %},
    cast(count(*) as bigint) as n
from predictions
inner join stale
    on predictions.window_number = stale.window_number
group by
    stale.window_key, predictions.prediction_class, predictions.probable_score
    {%- for number in segments %}, predictions.segment_{{ number }}{% endfor %}
