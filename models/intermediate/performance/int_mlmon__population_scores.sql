-- One row per population, segment and score bin: scores, labels and losses summed.
with

sums as (
    select * from {{ ref('int_mlmon__score_sums') }}
)

select
    populations.population_number,
    sums.segment_name,
    sums.segment_value,
    sums.bin_index,
    cast(sum(sums.n) as bigint) as n,
    cast(sum(sums.n_positive) as bigint) as n_positive,
    sum(sums.score_sum) as score_sum,
    sum(sums.squared_sum) as squared_sum,
    sum(sums.squared_squares) as squared_squares,
    sum(sums.log_loss_sum) as log_loss_sum,
    sum(sums.log_loss_squares) as log_loss_squares
from {{ ref('int_mlmon__populations') }} as populations
inner join {{ ref('int_mlmon__stretch_sources') }} as sources
    on populations.stretch_number = sources.stretch_number
inner join sums
    on
        sources.source_key = sums.window_key
        and populations.fact_age = sums.label_age
where populations.has_segments or sums.segment_name = 'all'
group by
    populations.population_number, sums.segment_name, sums.segment_value, sums.bin_index
