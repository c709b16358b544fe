-- One row per touched window end, span, segment and column: every binned drift statistic, and the chi-square that
-- judges them all. Bins too sparse for it join the smallest dense bin (docs/numbers.md, "p-values").
with

shares as (
    select * from {{ ref('int_mlmon__compared_shares') }}
    where is_compared
),

sparse_marked as (
    select
        shares.*,
        cast(reference_count + current_count as {{ mlmon.type_double() }})
        / nullif(n_reference + n_current, 0)
        * least(n_reference, n_current) < 2 as is_sparse
    from shares
),

ranked as (
    select
        sparse_marked.*,
        row_number() over (
            partition by window_key, span_windows, segment_name, segment_value, column_name
            order by
                case when is_sparse then 1 else 0 end,
                reference_count + current_count,
                bin_index
        ) as density_rank
    from sparse_marked
),

pooled as (
    select
        window_key,
        span_windows,
        segment_name,
        segment_value,
        column_name,
        case when is_sparse then 1 else density_rank end as pool,
        max(case when is_sparse then 0 else 1 end) as is_dense,
        max(n_reference) as n,
        max(n_current) as m,
        cast(sum(reference_count) as {{ mlmon.type_double() }}) as a,
        cast(sum(current_count) as {{ mlmon.type_double() }}) as b
    from ranked
    group by
        window_key, span_windows, segment_name, segment_value, column_name,
        case when is_sparse then 1 else density_rank end
),

chi_squares as (
    select
        window_key,
        span_windows,
        segment_name,
        segment_value,
        column_name,
        sum(is_dense) as n_dense,
        sum(
            case
                when n > 0 and m > 0 and a + b > 0
                    then
                        (a * m - b * n) * (a * m - b * n)
                        / (cast(n as {{ mlmon.type_double() }}) * m * (a + b))
            end
        ) as chi_square
    from pooled
    group by window_key, span_windows, segment_name, segment_value, column_name
),

statistics as (
    select
        window_key,
        span_windows,
        segment_name,
        segment_value,
        column_name,
        max(bin_spec_id) as bin_spec_id,
        max(smoothing) as smoothing,
        max(n_reference) as n_reference,
        max(n_current) as n_current,
        count(*) as n_bins,
        case when count(psi_contribution) = count(*) then sum(psi_contribution) end as psi,
        sum({{ mlmon.js_term('p', 'q') }}) / 2
        + sum({{ mlmon.js_term('q', 'p') }}) / 2 as js_divergence,
        sum(abs(q - p)) / 2 as total_variation,
        max(abs(q - p)) as l_infinity,
        sum((sqrt(p) - sqrt(q)) * (sqrt(p) - sqrt(q))) / 2 as hellinger_squared
    from shares
    group by window_key, span_windows, segment_name, segment_value, column_name
)

select
    statistics.window_key,
    statistics.span_windows,
    statistics.segment_name,
    statistics.segment_value,
    statistics.column_name,
    statistics.bin_spec_id,
    statistics.smoothing,
    statistics.n_reference,
    statistics.n_current,
    statistics.n_bins,
    case when n_reference > 0 and n_current > 0 then psi end as psi,
    case
        when n_reference > 0 and n_current > 0 then sqrt(greatest(js_divergence, 0))
    end as js_distance,
    case when n_reference > 0 and n_current > 0 then total_variation end as total_variation,
    case when n_reference > 0 and n_current > 0 then l_infinity end as l_infinity,
    case
        when n_reference > 0 and n_current > 0 then sqrt(hellinger_squared)
    end as hellinger,
    chi_squares.chi_square,
    chi_squares.n_dense - 1 as degrees_of_freedom
from statistics
inner join chi_squares
    on
        statistics.window_key = chi_squares.window_key
        and statistics.span_windows = chi_squares.span_windows
        and statistics.segment_name = chi_squares.segment_name
        and statistics.segment_value = chi_squares.segment_value
        and statistics.column_name = chi_squares.column_name
