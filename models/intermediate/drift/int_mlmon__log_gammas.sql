-- One row per whole number i: ln(i!) and ln(gamma(i + 1/2)), for the finite sums of the chi-square distribution.
with

integers as (
    {{ mlmon.integers(500) }}
)

select
    i,
    sum(case when i = 0 then 0 else ln(cast(i as {{ mlmon.type_double() }})) end)
        over (order by i rows between unbounded preceding and current row)
        as ln_factorial,
    -- gamma(1/2) = sqrt(pi)
    sum(
        case
            when i = 0 then 0.5723649429247001
            else ln(cast(i as {{ mlmon.type_double() }}) - 0.5)
        end
    ) over (order by i rows between unbounded preceding and current row) as ln_gamma_half
from integers
