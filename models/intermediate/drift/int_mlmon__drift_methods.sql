-- One row per touched window end, span, segment, column and method: value, p-value, and the smallest effect that
-- chance alone would seldom reach at this sample size (alpha 0.01).
with

statistics as (
    select
        statistics.*,
        spans.monitor,
        spans.is_judged,
        spans.is_default_span,
        columns.column_role,
        p_values.p_value,
        -- (1/n + 1/m) times the 0.99 quantile of chi-square: the null quantile of psi.
        case
            when statistics.n_bins < 2 then 0
            else (
                1.0 / nullif(statistics.n_reference, 0)
                + 1.0 / nullif(statistics.n_current, 0)
            ) * quantiles.quantile_99
        end as null_quantile
    from {{ ref('int_mlmon__drift_statistics') }} as statistics
    inner join {{ ref('int_mlmon__spans') }} as spans
        on
            statistics.window_key = spans.window_key
            and statistics.span_windows = spans.span_windows
    inner join {{ ref('int_mlmon__column_settings') }} as columns
        on
            spans.monitor = columns.monitor
            and statistics.column_name = columns.column_name
    left join {{ ref('int_mlmon__drift_p_values') }} as p_values
        on
            statistics.window_key = p_values.window_key
            and statistics.span_windows = p_values.span_windows
            and statistics.segment_name = p_values.segment_name
            and statistics.segment_value = p_values.segment_value
            and statistics.column_name = p_values.column_name
    left join {{ ref('mlmon_chi_square_quantiles') }} as quantiles
        on statistics.n_bins - 1 = quantiles.degrees_of_freedom
),

-- Benjamini-Hochberg over the features of one window, span and segment; score and prediction stand alone.
-- Equal p-values share the greatest of their ranks: the minimum below runs over peers.
ranked as (
    select
        statistics.*,
        row_number() over (
            partition by window_key, span_windows, segment_name, segment_value
            order by
                case when column_role = 'feature' and p_value is not null then 0 else 1 end,
                p_value
        ) as p_rank,
        sum(case when column_role = 'feature' and p_value is not null then 1 else 0 end) over (
            partition by window_key, span_windows, segment_name, segment_value
        ) as n_p
    from statistics
),

adjusted as (
    select
        ranked.*,
        case
            when column_role = 'feature' and p_value is not null
                then least(1.0, min(p_value * n_p / p_rank) over (
                    partition by
                        window_key, span_windows, segment_name, segment_value,
                        case when column_role = 'feature' and p_value is not null
                            then 0 else 1 end
                    order by p_value desc
                    range between unbounded preceding and current row
                ))
            else p_value
        end as adjusted_p_value
    from ranked
)

{% for method, null_quantile in {
    'psi': 'null_quantile',
    'js_distance': 'sqrt(null_quantile / (8 * ln(2.0)))',
    'total_variation': 'sqrt(null_quantile) / 2',
    'l_infinity': 'sqrt(null_quantile) / 2',
    'hellinger': 'sqrt(null_quantile / 8)',
}.items() %}
{%- if not loop.first %}
union all
{% endif %}
select
    window_key,
    span_windows,
    segment_name,
    segment_value,
    column_name,
    is_judged,
    is_default_span,
    monitor,
    cast('{{ method }}' as {{ dbt.type_string() }}) as method,
    {{ method }} as value,
    p_value,
    adjusted_p_value,
    {{ null_quantile }} as min_detectable_effect,
    n_reference,
    n_current,
    bin_spec_id,
    smoothing
from adjusted
{%- endfor %}
