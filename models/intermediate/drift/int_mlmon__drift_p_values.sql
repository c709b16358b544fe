-- One row per touched window end, span, segment and column with data on both sides: the p-value of its binned
-- statistics, the upper tail of chi-square as its finite sum (docs/numbers.md, "p-values").
with

tests as (
    select
        window_key,
        span_windows,
        segment_name,
        segment_value,
        column_name,
        degrees_of_freedom,
        chi_square / 2 as h
    from {{ ref('int_mlmon__drift_statistics') }}
    where n_reference > 0 and n_current > 0
),

log_gammas as (
    select * from {{ ref('int_mlmon__log_gammas') }}
),

terms as (
    select
        tests.window_key,
        tests.span_windows,
        tests.segment_name,
        tests.segment_value,
        tests.column_name,
        case
            when mod(tests.degrees_of_freedom, 2) = 0
                then -tests.h + log_gammas.i * ln(tests.h) - log_gammas.ln_factorial
            else -tests.h + (log_gammas.i - 0.5) * ln(tests.h) - log_gammas.ln_gamma_half
        end as log_term
    from tests
    inner join log_gammas
        on
            (
                mod(tests.degrees_of_freedom, 2) = 0
                and 2 * log_gammas.i < tests.degrees_of_freedom
            )
            or (
                mod(tests.degrees_of_freedom, 2) = 1
                and log_gammas.i >= 1
                and 2 * log_gammas.i <= tests.degrees_of_freedom - 1
            )
    where tests.h > 0
),

sums as (
    select
        window_key,
        span_windows,
        segment_name,
        segment_value,
        column_name,
        sum({{ mlmon.bounded_exp('log_term') }}) as total
    from terms
    group by window_key, span_windows, segment_name, segment_value, column_name
)

select
    tests.window_key,
    tests.span_windows,
    tests.segment_name,
    tests.segment_value,
    tests.column_name,
    case
        when tests.degrees_of_freedom <= 0 or tests.h <= 0 then 1.0
        else least(
            1.0,
            coalesce(sums.total, 0)
            + case
                when mod(tests.degrees_of_freedom, 2) = 1
                    then {{ mlmon.erfc('sqrt(tests.h)') }}
                else 0
            end
        )
    end as p_value
from tests
left join sums
    on
        tests.window_key = sums.window_key
        and tests.span_windows = sums.span_windows
        and tests.segment_name = sums.segment_name
        and tests.segment_value = sums.segment_value
        and tests.column_name = sums.column_name
