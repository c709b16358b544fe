-- One row per monitor, version, closed window end, span and test of the label's bins: chi-square over all of them, and
-- the one that judges the other statistics, where bins too sparse for it join the smallest dense bin
-- (docs/numbers.md, "p-values").
with

comparison as (
    select * from {{ ref('int_mlmon__label_comparison') }}
    where n_reference > 0 and n_current > 0
),

log_gammas as (
    select * from {{ ref('int_mlmon__log_gammas') }}
),

ranked as (
    select
        comparison.*,
        row_number() over (
            partition by window_key, span_windows
            order by
                case when is_sparse then 1 else 0 end,
                reference_count + current_count,
                label_bin
        ) as density_rank
    from (
        select
            comparison.*,
            cast(reference_count + current_count as {{ mlmon.type_double() }})
            * least(n_reference, n_current) < 2 * (n_reference + n_current) as is_sparse
        from comparison
    ) as comparison
),

pools as (
    select
        window_key,
        span_windows,
        cast('pooled' as {{ dbt.type_string() }}) as test_name,
        case when is_sparse then 1 else density_rank end as pool,
        n_reference,
        n_current,
        reference_count,
        current_count
    from ranked

    union all

    select
        window_key,
        span_windows,
        cast('all' as {{ dbt.type_string() }}) as test_name,
        density_rank as pool,
        n_reference,
        n_current,
        reference_count,
        current_count
    from ranked
),

pooled as (
    select
        window_key,
        span_windows,
        test_name,
        pool,
        cast(max(n_reference) as {{ mlmon.type_double() }}) as n,
        cast(max(n_current) as {{ mlmon.type_double() }}) as m,
        cast(sum(reference_count) as {{ mlmon.type_double() }}) as a,
        cast(sum(current_count) as {{ mlmon.type_double() }}) as b
    from pools
    group by window_key, span_windows, test_name, pool
),

tests as (
    select
        window_key,
        span_windows,
        test_name,
        count(*) - 1 as degrees_of_freedom,
        sum((a * m - b * n) * (a * m - b * n) / (n * m * (a + b))) as chi_square
    from pooled
    group by window_key, span_windows, test_name
),

tails as (
    {{ mlmon.chi_square_tails('tests', ['window_key', 'span_windows', 'test_name']) }}
)

select
    tests.window_key,
    tests.span_windows,
    tests.test_name,
    tests.degrees_of_freedom,
    tests.chi_square,
    tails.p_value
from tests
inner join tails
    on
        tests.window_key = tails.window_key
        and tests.span_windows = tails.span_windows
        and tests.test_name = tails.test_name
