-- One row per labelled prediction of the stale windows and label age at which its label counts. All
-- facts of labels are counted from it. Rows of a reference table have the one age 'reference'.
{{ config(materialized='view') }}

with

stale as (
    select * from {{ ref('int_mlmon__stale_windows') }}
    where facts = 'labels'
),

label_ages as (
    {{ mlmon.label_age_settings() }}
)

select
    predictions.window_key,
    predictions.monitor,
    stale.edge_set_number,
    label_ages.label_age,
    predictions.prediction_class,
    predictions.prediction_value,
    predictions.score,
    predictions.label_class,
    predictions.label_value,
    predictions.is_early,
    predictions.has_conflict
    {{- mlmon.class_scores_of('predictions') }}
    {%- for number in range(1, mlmon.slot_counts()['segment'] + 1) %},
    predictions.segment_{{ number }}
    {%- endfor %}
from {{ ref('int_mlmon__labelled_predictions') }} as predictions
inner join stale
    on predictions.window_key = stale.window_key
inner join label_ages
    on
        not stale.is_reference
        and predictions.monitor = label_ages.monitor
        and {{ mlmon.counts_at_age('predictions', 'label_ages.label_age_days') }}

union all

select
    stale.window_key,
    stale.monitor,
    stale.edge_set_number,
    cast('reference' as {{ dbt.type_string() }}) as label_age,
    predictions.prediction_class,
    predictions.prediction_value,
    predictions.score,
    predictions.label_class,
    predictions.label_value,
    predictions.is_early,
    predictions.has_conflict
    {{- mlmon.class_scores_of('predictions') }}
    {%- for number in range(1, mlmon.slot_counts()['segment'] + 1) %},
    predictions.segment_{{ number }}
    {%- endfor %}
from {{ ref('int_mlmon__labelled_predictions') }} as predictions
inner join stale
    on
        predictions.window_key = stale.window_key
        and stale.is_reference
