-- One row per window end of a version ('all' for all versions together), span, segment, label age,
-- metric and class: the metric measured there, with its interval, wherever there are labels.
-- Performance, its baselines and degradation are read from it. A labelled reference has rows, too,
-- with span 0. How complete the labels are is not stored here but in int_mlmon__span_coverage, so
-- that a row stays the same as long as its labels do.
{{ config(
    materialized='incremental',
    incremental_strategy='mlmon_windows',
    unique_key='window_key',
    on_schema_change='append_new_columns',
    meta={'stale': 'performance'},
    post_hook="{{ mlmon.record_windows('performance') }}",
) }}

with

window_sets as (
    select * from {{ ref('int_mlmon__window_sets') }}
),

measured as (
    {{ mlmon.metric_values() }}
)

select
    window_sets.window_key,
    window_sets.reference_key,
    window_sets.monitor,
    window_sets.span_windows,
    window_sets.label_age,
    measured.segment_name,
    measured.segment_value,
    measured.metric,
    measured.class_label,
    measured.value,
    measured.value_low,
    measured.value_high,
    measured.interval_method,
    measured.variance,
    measured.n,
    measured.n_excluded
from measured
inner join window_sets
    on
        measured.window_set_number = window_sets.window_set_number
        and measured.label_age = window_sets.label_age
where window_sets.is_default_span or measured.segment_name = 'all'
