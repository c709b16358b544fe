-- One row per population of a regression monitor and segment: the median absolute error, exactly, with the interval
-- between two order statistics.
with

ages as (
    {{ mlmon.label_ages_by_number() }}
),

ranked as (
    select
        populations.population_number,
        populations.monitor,
        ranks.*
    from {{ ref('int_mlmon__error_ranks') }} as ranks
    inner join {{ ref('int_mlmon__populations') }} as populations
        on ranks.stretch_number = populations.stretch_number
    inner join ages
        on
            populations.monitor = ages.monitor
            and populations.label_age = ages.label_age
            and ranks.age_number = ages.age_number
    where ranks.segment_position = 0 or populations.has_segments
),

named as (
    {{ mlmon.named_segments('ranked') }}
)

select
    population_number,
    segment_name,
    segment_value,
    cast('median_absolute_error' as {{ dbt.type_string() }}) as metric,
    cast('all' as {{ dbt.type_string() }}) as class_label,
    value,
    -- As if the interval were a normal one.
    power((value_high - value_low) / 3.919927969080108, 2) as variance,
    cast(n as bigint) as n,
    cast(n_excluded as bigint) as n_excluded,
    value_low,
    value_high,
    cast('order_statistics' as {{ dbt.type_string() }}) as interval_method
from named
