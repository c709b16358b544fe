-- One row per population of a regression monitor and segment: the median absolute error, exactly, with the interval
-- between two order statistics.
with

ranked as (
    {{ mlmon.ranked_populations(ref('int_mlmon__error_ranks')) }}
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
