-- One row per population, segment, label class and predicted class: how many predictions.
with

counts as (
    select * from {{ ref('int_mlmon__confusion_counts') }}
)

select
    populations.population_number,
    counts.segment_name,
    counts.segment_value,
    counts.label_class,
    counts.predicted_class,
    cast(sum(counts.n) as bigint) as n
from {{ ref('int_mlmon__populations') }} as populations
inner join {{ ref('int_mlmon__stretch_sources') }} as sources
    on populations.stretch_number = sources.stretch_number
inner join counts
    on
        sources.source_key = counts.window_key
        and populations.fact_age = counts.label_age
where populations.has_segments or counts.segment_name = 'all'
group by
    populations.population_number, counts.segment_name, counts.segment_value,
    counts.label_class, counts.predicted_class
