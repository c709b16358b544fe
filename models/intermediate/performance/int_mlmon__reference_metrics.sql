-- One row per labelled reference, segment, metric and class: what performance is compared with.
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
    select * from {{ ref('int_mlmon__population_members') }}
    where reference_key is not null
),

measured as (
    select * from {{ ref('int_mlmon__metric_values') }}
)

select
    populations.reference_key as window_key,
    populations.reference_key,
    measured.segment_name,
    measured.segment_value,
    measured.metric,
    measured.class_label,
    measured.value,
    measured.value_low,
    measured.value_high,
    measured.variance,
    measured.n
from measured
inner join populations
    on measured.population_number = populations.population_number
where measured.value is not null
