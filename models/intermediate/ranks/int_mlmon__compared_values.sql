-- One row per side of a comparison (a base window, or a reference with a number below zero), place and value that was
-- read: how often it occurs. A reference that is a stretch of the log has the values of its windows.
{{ config(materialized='view') }}

with

ranked_values as (
    select * from {{ ref('int_mlmon__ranked_values') }}
),

windows as (
    select * from {{ ref('int_mlmon__ranked_windows') }}
),

-- The references whose values were asked for, place by place.
asked as (
    select distinct
        comparisons.source_number,
        comparisons.place_number,
        reference_facts.monitor,
        reference_facts.first_index,
        reference_facts.last_index,
        reference_facts.logged_version
    from {{ ref('int_mlmon__rank_comparisons') }} as comparisons
    inner join {{ ref('int_mlmon__references') }} as reference_facts
        on comparisons.reference_key = reference_facts.reference_key
    where comparisons.source_number < 0 and reference_facts.reference_kind <> 'table'
)

select
    source_number,
    place_number,
    x,
    n
from ranked_values

union all

select
    asked.source_number,
    asked.place_number,
    ranked_values.x,
    cast(sum(ranked_values.n) as bigint) as n
from asked
inner join windows
    on
        asked.monitor = windows.monitor
        and windows.window_index between asked.first_index and asked.last_index
        and asked.logged_version in ('all', windows.model_version)
inner join ranked_values
    on
        asked.place_number = ranked_values.place_number
        and windows.window_number = ranked_values.source_number
group by asked.source_number, asked.place_number, ranked_values.x
