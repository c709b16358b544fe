-- One row per monitor, version, closed window end, span and method: how far the labels of the span
-- are from the reference's, the p-value, and the smallest effect that chance alone would seldom
-- reach at this sample size (alpha 0.01). fct_mlmon__label_drift judges them.
with

settings as (
    {{ mlmon.label_settings() }}
),

counts as (
    select * from {{ ref('int_mlmon__label_counts') }}
),

spans as (
    select
        spans.window_key,
        spans.span_windows,
        spans.monitor,
        spans.model_version,
        spans.first_index,
        spans.window_index,
        spans.reference_key,
        settings.smoothing,
        case
            when settings.label_kind = 'categorical' then 'class'
            else md5('label|' || spans.fixed_reference_hash)
        end as label_spec_id
    from {{ ref('int_mlmon__spans') }} as spans
    inner join settings
        on spans.monitor = settings.monitor
),

mature_references as (
    select
        reference_facts.*,
        case
            when settings.label_kind = 'categorical' then 'class'
            else md5('label|' || reference_facts.reference_hash)
        end as label_spec_id
    from {{ ref('int_mlmon__references') }} as reference_facts
    inner join settings
        on reference_facts.monitor = settings.monitor
    where reference_facts.is_mature
),

reference_counts as (
    select
        mature_references.reference_key,
        counts.label_bin,
        sum(counts.n) as n
    from mature_references
    inner join {{ ref('int_mlmon__reference_windows') }} as reference_windows
        on mature_references.reference_key = reference_windows.reference_key
    inner join counts
        on reference_windows.window_key = counts.window_key
    where mature_references.reference_kind = 'table'
    group by mature_references.reference_key, counts.label_bin

    union all

    select
        mature_references.reference_key,
        counts.label_bin,
        sum(counts.n) as n
    from mature_references
    inner join counts
        on
            mature_references.monitor = counts.monitor
            and mature_references.logged_version in ('all', counts.model_version)
            and counts.window_index
            between mature_references.first_index and mature_references.last_index
            and mature_references.label_spec_id = counts.label_spec_id
    where mature_references.reference_kind <> 'table'
    group by mature_references.reference_key, counts.label_bin
),

-- Labels in other bins than the reference's do not count.
both_sides as (
    select
        spans.window_key,
        spans.span_windows,
        spans.smoothing,
        reference_counts.label_bin,
        reference_counts.n as reference_count,
        0 as current_count
    from spans
    inner join reference_counts
        on spans.reference_key = reference_counts.reference_key

    union all

    select
        spans.window_key,
        spans.span_windows,
        spans.smoothing,
        counts.label_bin,
        0 as reference_count,
        counts.n as current_count
    from spans
    inner join counts
        on
            spans.monitor = counts.monitor
            and spans.model_version = counts.model_version
            and counts.window_index between spans.first_index and spans.window_index
            and spans.label_spec_id = counts.label_spec_id
),

counted as (
    select
        window_key,
        span_windows,
        smoothing,
        label_bin,
        cast(sum(reference_count) as bigint) as reference_count,
        cast(sum(current_count) as bigint) as current_count,
        sum(sum(reference_count)) over (partition by window_key, span_windows) as n_reference,
        sum(sum(current_count)) over (partition by window_key, span_windows) as n_current
    from both_sides
    group by window_key, span_windows, smoothing, label_bin
),

smoothed as (
    select
        counted.*,
        {{ mlmon.smoothed_share('reference_count', 'n_reference', 'smoothing') }} as raw_p,
        {{ mlmon.smoothed_share('current_count', 'n_current', 'smoothing') }} as raw_q
    from counted
),

comparison as (
    select
        window_key,
        span_windows,
        label_bin,
        reference_count,
        current_count,
        cast(n_reference as bigint) as n_reference,
        cast(n_current as bigint) as n_current,
        cast(reference_count as {{ mlmon.type_double() }}) / nullif(n_reference, 0) as p,
        cast(current_count as {{ mlmon.type_double() }}) / nullif(n_current, 0) as q,
        raw_p / nullif(sum(raw_p) over (partition by window_key, span_windows), 0)
            as smoothed_p,
        raw_q / nullif(sum(raw_q) over (partition by window_key, span_windows), 0)
            as smoothed_q
    from smoothed
),

log_gammas as (
    {{ mlmon.log_gammas() }}
),

-- Chi-square over all bins, and the test that judges the other statistics, in which bins too sparse
-- for it join the smallest dense bin (docs/numbers.md, "p-values").
marked as (
    select
        comparison.*,
        cast(reference_count + current_count as {{ mlmon.type_double() }})
        * least(n_reference, n_current) < 2 * (n_reference + n_current) as is_sparse
    from comparison
    where n_reference > 0 and n_current > 0
),

ranked as (
    select
        marked.*,
        row_number() over (
            partition by window_key, span_windows
            order by
                case when is_sparse then 1 else 0 end,
                reference_count + current_count,
                label_bin
        ) as density_rank
    from marked
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
        complete_tails.p_value as p_value_all,
        pooled_tails.p_value as p_value_pooled,
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
    left join tails as complete_tails
        on
            statistics.window_key = complete_tails.window_key
            and statistics.span_windows = complete_tails.span_windows
            and complete_tails.test_name = 'all'
    left join tails as pooled_tails
        on
            statistics.window_key = pooled_tails.window_key
            and statistics.span_windows = pooled_tails.span_windows
            and pooled_tails.test_name = 'pooled'
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
