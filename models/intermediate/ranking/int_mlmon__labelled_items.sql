-- One row per shown item with a label, segment and label age at which its label counts: where it stands, how relevant it
-- is, where it would stand in the best order, and how many relevant items there are in its list and down to it.
{{ config(materialized='view') }}

with

positions as (
    select * from {{ ref('int_mlmon__item_positions') }}
),

-- What is below 0 is not relevant; numbers beyond 1e70 are no relevance.
labels as (
    select
        predictions.window_key,
        predictions.request_id,
        label_ages.label_age,
        predictions.label_value
    from {{ ref('int_mlmon__labelled_predictions') }} as predictions
    inner join ({{ mlmon.label_age_settings() }}) as label_ages
        on
            predictions.monitor = label_ages.monitor
            and {{ mlmon.counts_at_age('predictions', 'label_ages.label_age_days') }}
    where {{ mlmon.is_of_ranking('predictions.monitor') }} and predictions.label_value < 1e70

    union all

    select
        reference_key as window_key,
        request_id,
        cast('reference' as {{ dbt.type_string() }}) as label_age,
        label_value
    from {{ ref('int_mlmon__reference_items') }}
    where label_value < 1e70
),

graded as (
    select
        positions.*,
        labels.label_age,
        case when labels.label_value < 1e-70 then 0 else labels.label_value end as relevance
    from positions
    inner join labels
        on
            positions.window_key = labels.window_key
            and positions.request_id = labels.request_id
)

select
    window_key,
    monitor,
    segment_name,
    segment_value,
    label_age,
    query_id,
    position,
    first_tied,
    n_tied,
    n_scored,
    relevance,
    row_number() over (
        partition by window_key, segment_name, segment_value, label_age, query_id
        order by relevance desc
    ) as best_position,
    sum(case when relevance > 0 then 1 else 0 end) over (
        partition by window_key, segment_name, segment_value, label_age, query_id
        order by position
        rows between unbounded preceding and current row
    ) as n_relevant_so_far,
    sum(case when relevance > 0 then 1 else 0 end) over (
        partition by window_key, segment_name, segment_value, label_age, query_id
    ) as n_relevant
from graded
