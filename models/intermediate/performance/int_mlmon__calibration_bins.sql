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

counts as (
    select
        counts.*,
        case when label_class = '1' then n else 0 end as n_positive
    from {{ ref('int_mlmon__label_counts') }} as counts
    where bin_index >= 0 and segment_name = 'all'
)

select
    window_sets.window_key,
    window_sets.reference_key,
    window_sets.monitor_key,
    window_sets.window_index,
    counts.bin_index,
    cast(sum(counts.n) as bigint) as n,
    cast(sum(counts.n_positive) as bigint) as n_positive,
    sum(counts.score_sum) as score_sum
from window_sets
inner join ({{ mlmon.window_set_sources() }}) as sources
    on window_sets.window_set_number = sources.window_set_number
inner join counts
    on
        sources.source_key = counts.window_key
        and {{ mlmon.counts_by_age('counts', 'sources.counted_age_days') }}
group by
    window_sets.window_key, window_sets.reference_key, window_sets.monitor_key,
    window_sets.window_index, counts.bin_index
having sum(counts.n) > 0
