-- One row per window of a monitor with scores and labels, predicted class, cell of scores and value
-- of each segment: how many predictions, labelled or not, and the sum and bounds of their scores.
-- Performance is estimated from it before labels arrive. Scores that are missing or no probability
-- have no cell.
{%- set segments = range(1, mlmon.slot_counts()['segment'] + 1) | list %}
{%- set grain = ['window_key', 'predicted_class', 'cell'] %}
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
    select
        stale.*,
        settings.score_digits
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
        scored.*,
        {{ mlmon.score_cell_of_monitor('probable_score', 'score_digits') }} as cell
    from (
        select
            predictions.*,
            stale.window_key,
            stale.score_digits,
            {{ mlmon.probable_score('predictions.score') }} as probable_score
        from ({{ mlmon.stale_predictions() }}) as predictions
        inner join stale
            on predictions.window_number = stale.window_number
        where predictions.is_success and not predictions.is_reference
        {{ mlmon.evaluated_once() }}
    ) as scored
)

select
    window_key,
    prediction_class as predicted_class,
    cell
    {%- for number in segments %},
    segment_{{ number }}
    {%- endfor %},
    cast(count(*) as bigint) as n,
    sum(probable_score) as score_sum,
    min(probable_score) as score_min,
    max(probable_score) as score_max
from predictions
group by
    window_key, prediction_class, cell
    {%- for number in segments %}, segment_{{ number }}{% endfor %}
