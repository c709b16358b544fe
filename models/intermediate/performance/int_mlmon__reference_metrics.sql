-- One row per labelled reference, segment, metric and class: what performance is compared with.
{{ config(
    materialized='incremental',
    incremental_strategy='mlmon_windows',
    unique_key='window_key',
    on_schema_change='append_new_columns',
    meta={'stale': 'int_mlmon__stale_performance_ends'},
    post_hook="{{ mlmon.record_windows('int_mlmon__stale_performance_ends') }}",
) }}

with

window_sets as (
    select * from {{ ref('int_mlmon__window_sets') }}
    where reference_key is not null
),

measured as (
    {{ mlmon.metric_values() }}
)

select
    window_sets.window_key,
    window_sets.reference_key,
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
inner join window_sets
    on
        measured.window_set_number = window_sets.window_set_number
        and measured.label_age = window_sets.label_age
where measured.value is not null
