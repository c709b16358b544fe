-- One row per touched reference of a binary monitor and score: how many of its labels at the horizon were positive. What
-- scores are calibrated on, once all labels of the reference can have come.
with

stretches as (
    select stretches.*
    from {{ ref('int_mlmon__population_stretches') }} as stretches
    inner join {{ ref('int_mlmon__mature_references') }} as mature
        on stretches.reference_key = mature.reference_key
    inner join {{ ref('int_mlmon__settings') }} as settings
        on
            stretches.monitor = settings.monitor
            and settings.task = 'binary'
            and settings.has_score
)

select
    stretches.reference_key,
    rows_of_source.score,
    cast(sum(case when rows_of_source.label_class = '1' then 1 else 0 end) as bigint) as n_positive,
    cast(count(*) as bigint) as n
from stretches
inner join {{ ref('int_mlmon__settings') }} as settings
    on stretches.monitor = settings.monitor
inner join {{ ref('int_mlmon__stretch_sources') }} as sources
    on stretches.stretch_number = sources.stretch_number
inner join {{ ref('int_mlmon__labelled_sources') }} as rows_of_source
    on sources.source_key = rows_of_source.source_key
where
    rows_of_source.score >= 0
    and rows_of_source.score <= 1
    and rows_of_source.label_class is not null
    and {{ mlmon.counts_at_age('rows_of_source', 'settings.label_horizon_days') }}
group by stretches.reference_key, rows_of_source.score
