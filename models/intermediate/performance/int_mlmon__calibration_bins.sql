-- One row per window end or reference, segment and score bin of a binary monitor, at the longest span and the horizon: how
-- many labelled predictions, their scores and positive labels.
{{ config(
    materialized='incremental',
    incremental_strategy='mlmon_windows',
    unique_key='window_key',
    on_schema_change='append_new_columns',
    meta={'stale': 'int_mlmon__touched_performance_ends'},
    post_hook="{{ mlmon.record_windows('int_mlmon__touched_performance_ends') }}",
) }}

with

populations as (
    select
        populations.*,
        stretches.window_key
    from {{ ref('int_mlmon__population_members') }} as populations
    inner join {{ ref('int_mlmon__population_stretches') }} as stretches
        on populations.stretch_number = stretches.stretch_number
    inner join ({{ mlmon.label_age_settings() }}) as label_ages
        on
            populations.monitor = label_ages.monitor
            and populations.label_age = label_ages.label_age
            and label_ages.is_horizon
    where populations.has_segments
),

scores as (
    select * from {{ ref('int_mlmon__population_scores') }}
    where bin_index >= 0 and segment_name = 'all'
)

select
    populations.window_key,
    populations.reference_key,
    scores.bin_index,
    scores.n,
    scores.n_positive,
    scores.score_sum
from scores
inner join populations
    on scores.population_number = populations.population_number
