-- One row per stale window end, span, segment and column, by test_number: how likely chance alone
-- makes the two sides differ as much. These are the tests that SQL can do, for warehouses without
-- Python models; the Python model of the same columns uses scipy.
with

sized as (
    select
        *,
        case
            when n_reference_values > 0 and n_current_values > 0
                then {{ mlmon.effective_rows('n_reference_values', 'n_current_values') }}
        end as effective_rows
    from {{ ref('int_mlmon__drift_statistics') }}
),

statistics as (
    select
        *,
        {{ mlmon.kolmogorov_argument('ks', 'effective_rows') }} as kolmogorov_argument
    from sized
),

log_gammas as (
    {{ mlmon.log_gammas() }}
),

chi_squares as (
    select
        test_number,
        cast('binned' as {{ dbt.type_string() }}) as test,
        pooled_chi_square as chi_square,
        degrees_of_freedom
    from statistics
    where n_reference > 0 and n_current > 0

    union all

    select
        test_number,
        cast('chi_square' as {{ dbt.type_string() }}) as test,
        chi_square,
        n_bins - 1 as degrees_of_freedom
    from statistics
    where n_reference > 0 and n_current > 0

    {%- for hashing in mlmon.bucket_hashings() %}

    union all

    select
        test_number,
        cast('buckets_{{ hashing }}' as {{ dbt.type_string() }}) as test,
        buckets_{{ hashing }}_pooled_chi_square as chi_square,
        buckets_{{ hashing }}_degrees_of_freedom as degrees_of_freedom
    from statistics
    where buckets_{{ hashing }}_degrees_of_freedom is not null
    {%- endfor %}
),

tails as (
    {{ mlmon.chi_square_tails('chi_squares', ['test_number', 'test']) }}
),

p_values as (
    select
        statistics.test_number,
        statistics.family_number,
        tails.test,
        tails.p_value
    from tails
    inner join statistics
        on tails.test_number = statistics.test_number

    union all

    select
        test_number,
        family_number,
        cast('ks' as {{ dbt.type_string() }}) as test,
        {{ mlmon.kolmogorov_series('kolmogorov_argument') }} as p_value
    from statistics
    where kolmogorov_argument is not null

    union all

    select
        test_number,
        family_number,
        cast('missing_change' as {{ dbt.type_string() }}) as test,
        {{ mlmon.two_proportion_p(
            'n_current_missing', 'n_current_rows', 'n_reference_missing', 'n_reference_rows'
        ) }} as p_value
    from statistics
    where n_reference_rows > 0 and n_current_rows > 0
),

-- The smaller p-value of the two hashings, times two, because either may be the smaller by chance.
buckets as (
    select
        test_number,
        least(1.0, {{ mlmon.bucket_hashings() | length }} * min(p_value)) as p_value
    from p_values
    where test like 'buckets%'
    group by test_number
),

-- Where the reference has categories that it saw only once, what its bins make of the other
-- categories may be chance.
cautious as (
    select
        p_values.*,
        case
            when p_values.test = 'binned'
                then greatest(p_values.p_value, coalesce(buckets.p_value, 0))
            else p_values.p_value
        end as cautious_p_value
    from p_values
    left join buckets
        on p_values.test_number = buckets.test_number
    where p_values.test not like 'buckets%'
),

-- Benjamini-Hochberg over the features of one window, span and segment; score and prediction are
-- tested alone. Equal p-values share the greatest of their ranks: the minimum below runs over equal
-- values.
ranked as (
    select
        cautious.*,
        row_number() over (partition by family_number, test order by cautious_p_value) as p_rank,
        count(*) over (partition by family_number, test) as n_p
    from cautious
),

adjusted as (
    select
        ranked.*,
        case
            when family_number is null then cautious_p_value
            else least(1.0, min(cautious_p_value * n_p / p_rank) over (
                partition by family_number, test
                order by cautious_p_value desc
                range between unbounded preceding and current row
            ))
        end as adjusted_p_value
    from ranked
)

select
    adjusted.test_number,
    max(buckets.p_value) as buckets_p_value,
    {%- for test, method in {
        'binned': 'chi_square_pooled', 'chi_square': 'chi_square_series',
        'ks': 'kolmogorov_series', 'missing_change': 'two_proportion_z',
    }.items() %}
    max(case when adjusted.test = '{{ test }}' then adjusted.p_value end) as {{ test }}_p_value,
    max(case when adjusted.test = '{{ test }}' then adjusted.adjusted_p_value end)
        as {{ test }}_adjusted_p_value,
    max(case when adjusted.test = '{{ test }}' then '{{ method }}' end) as {{ test }}_p_value_method
    {{- ',' if not loop.last }}
    {%- endfor %}
from adjusted
left join buckets
    on adjusted.test_number = buckets.test_number
group by adjusted.test_number
