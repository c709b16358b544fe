-- One row per population of a regression monitor and segment: the median absolute error, exactly, with the interval
-- between two order statistics.
with

ages as (
    {{ mlmon.label_ages_by_number() }}
)

select
    populations.population_number,
    case when ranks.segment_position = 0 then 'all' else segments.segment_name end as segment_name,
    ranks.segment_value,
    cast('median_absolute_error' as {{ dbt.type_string() }}) as metric,
    cast('all' as {{ dbt.type_string() }}) as class_label,
    ranks.value,
    -- As if the interval were a normal one.
    power((ranks.value_high - ranks.value_low) / 3.919927969080108, 2) as variance,
    cast(ranks.n as bigint) as n,
    cast(ranks.n_excluded as bigint) as n_excluded,
    ranks.value_low,
    ranks.value_high,
    cast('order_statistics' as {{ dbt.type_string() }}) as interval_method
from {{ ref('int_mlmon__error_ranks') }} as ranks
inner join {{ ref('int_mlmon__populations') }} as populations
    on ranks.stretch_number = populations.stretch_number
inner join ages
    on
        populations.monitor = ages.monitor
        and populations.label_age = ages.label_age
        and ranks.age_number = ages.age_number
left join ({{ mlmon.segment_settings() }}) as segments
    on
        populations.monitor = segments.monitor
        and ranks.segment_position = segments.segment_position
where
    ranks.segment_position = 0
    or (populations.has_segments and segments.segment_name is not null)
