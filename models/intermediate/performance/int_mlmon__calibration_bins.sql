-- One row per window end or reference of a binary monitor and score bin, at the longest span and
-- the horizon: how many labelled predictions, their scores and positive labels.
-- fct_mlmon__calibration shows from it how often labels were positive where scores were alike.
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
    where is_default_span and is_horizon
),

sums as (
    select * from {{ ref('int_mlmon__score_sums') }}
    where bin_index >= 0 and segment_name = 'all'
)

select
    window_sets.window_key,
    window_sets.reference_key,
    window_sets.monitor_key,
    window_sets.window_index,
    sums.bin_index,
    cast(sum(sums.n) as bigint) as n,
    cast(sum(sums.n_positive) as bigint) as n_positive,
    sum(sums.score_sum) as score_sum
from window_sets
inner join {{ ref('int_mlmon__window_set_sources') }} as sources
    on window_sets.window_set_number = sources.window_set_number
inner join sums
    on
        sources.source_key = sums.window_key
        and (window_sets.is_table or window_sets.label_age = sums.label_age)
group by
    window_sets.window_key, window_sets.reference_key, window_sets.monitor_key,
    window_sets.window_index, sums.bin_index
