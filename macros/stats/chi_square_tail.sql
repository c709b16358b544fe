{#
    The upper tail of chi-square, as its finite sum (docs/numbers.md, "p-values"): the given keys and p_value, one row
    per row of `tests`, a relation with the keys, chi_square and degrees_of_freedom. `log_gammas` is a CTE of
    log_gammas().
#}
{% macro chi_square_tails(tests, keys, log_gammas='log_gammas') %}
    select
        {%- for key in keys %}
        halved.{{ key }},
        {%- endfor %}
        case
            when max(halved.chi_square) is null then null
            when max(halved.degrees_of_freedom) <= 0 or max(halved.h) <= 0 then 1.0
            else least(
                1.0,
                coalesce(sum({{ mlmon.bounded_exp('halved.log_term') }}), 0)
                + max(
                    case
                        when mod(halved.degrees_of_freedom, 2) = 1 and halved.h > 0
                            then {{ mlmon.erfc('sqrt(halved.h)') }}
                        else 0
                    end
                )
            )
        end as p_value
    from (
        select
            tests.*,
            case
                when mod(tests.degrees_of_freedom, 2) = 0
                    then -tests.h + gammas.i * tests.ln_h - gammas.ln_factorial
                else -tests.h + (gammas.i - 0.5) * tests.ln_h - gammas.ln_gamma_half
            end as log_term
        from (
            select
                given.*,
                given.chi_square / 2 as h,
                case when given.chi_square > 0 then ln(given.chi_square / 2) end as ln_h
            from {{ tests }} as given
        ) as tests
        left join {{ log_gammas }} as gammas
            on
                (
                    mod(tests.degrees_of_freedom, 2) = 0
                    and 2 * gammas.i < tests.degrees_of_freedom
                )
                or (
                    mod(tests.degrees_of_freedom, 2) = 1
                    and gammas.i >= 1
                    and 2 * gammas.i <= tests.degrees_of_freedom - 1
                )
    ) as halved
    group by
        {%- for key in keys %}
        halved.{{ key }}{{ ',' if not loop.last }}
        {%- endfor %}
{% endmacro %}

{# One row per whole number i up to 500: ln(i!) and ln(gamma(i + 1/2)), which the finite sums are made of. #}
{% macro log_gammas() %}
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
    from ({{ mlmon.integers(500) }}) as integers
{% endmacro %}
