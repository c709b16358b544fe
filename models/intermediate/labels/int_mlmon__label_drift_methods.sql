-- One row per monitor, version, closed window end, span and method: how far the labels are from the reference's, the
-- p-value, and the smallest effect that chance alone would seldom reach at this sample size (alpha 0.01).
with

comparison as (
    select * from {{ ref('int_mlmon__label_comparison') }}
),

tests as (
    select * from {{ ref('int_mlmon__label_drift_tests') }}
),

statistics as (
    select
        window_key,
        span_windows,
        max(n_reference) as n_reference,
        max(n_current) as n_current,
        count(*) as n_bins,
        case
            when count(case when smoothed_p > 0 and smoothed_q > 0 then 1 end) = count(*)
                then sum(
                    case
                        when smoothed_p > 0 and smoothed_q > 0
                            then (smoothed_q - smoothed_p) * ln(smoothed_q / smoothed_p)
                    end
                )
        end as psi,
        sum({{ mlmon.js_term('p', 'q') }}) / 2
        + sum({{ mlmon.js_term('q', 'p') }}) / 2 as js_divergence,
        sum(abs(q - p)) / 2 as total_variation
    from comparison
    group by window_key, span_windows
),

tested as (
    select
        statistics.window_key,
        statistics.span_windows,
        statistics.n_reference,
        statistics.n_current,
        case when n_reference > 0 and n_current > 0 then psi end as psi,
        case
            when n_reference > 0 and n_current > 0 then sqrt(greatest(js_divergence, 0))
        end as js_distance,
        case when n_reference > 0 and n_current > 0 then total_variation end
            as total_variation,
        complete_tests.chi_square,
        complete_tests.p_value as p_value_all,
        pooled_tests.p_value as p_value_pooled,
        -- (1/n + 1/m) times the 0.99 quantile of chi-square: the null quantile of psi.
        case
            when statistics.n_bins < 2 then 0
            else (
                1.0 / nullif(statistics.n_reference, 0)
                + 1.0 / nullif(statistics.n_current, 0)
            ) * quantiles.quantile_99
        end as null_quantile,
        quantiles.quantile_99
    from statistics
    left join tests as complete_tests
        on
            statistics.window_key = complete_tests.window_key
            and statistics.span_windows = complete_tests.span_windows
            and complete_tests.test_name = 'all'
    left join tests as pooled_tests
        on
            statistics.window_key = pooled_tests.window_key
            and statistics.span_windows = pooled_tests.span_windows
            and pooled_tests.test_name = 'pooled'
    left join {{ mlmon.seed_relation('mlmon_chi_square_quantiles') }} as quantiles
        on statistics.n_bins - 1 = quantiles.degrees_of_freedom
)

{% for method, given in {
    'psi': ('chi_square_pooled', 'p_value_pooled', 'null_quantile'),
    'js_distance': ('chi_square_pooled', 'p_value_pooled', 'sqrt(null_quantile / (8 * ln(2.0)))'),
    'total_variation': ('chi_square_pooled', 'p_value_pooled', 'sqrt(null_quantile) / 2'),
    'chi_square': ('chi_square', 'p_value_all', 'quantile_99'),
}.items() %}
{%- if not loop.first %}
union all
{% endif %}
select
    window_key,
    span_windows,
    cast('{{ method }}' as {{ dbt.type_string() }}) as method,
    {{ method }} as value,
    {{ given[1] }} as p_value,
    cast('{{ given[0] }}' as {{ dbt.type_string() }}) as p_value_method,
    {{ given[2] }} as min_detectable_effect,
    n_reference,
    n_current
from tested
{%- endfor %}
