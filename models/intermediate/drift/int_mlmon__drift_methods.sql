-- One row per touched window end, span, segment, column and method: value, p-value, and the smallest effect that
-- chance alone would seldom reach at this sample size (alpha 0.01).
{%- set binned = "(1.0 / nullif(n_reference, 0) + 1.0 / nullif(n_current, 0))"
    ~ " * chi_square_quantile" %}
{%- set ranked = "1.6276236115189503 * sqrt(1.0 / nullif(n_reference_values, 0)"
    ~ " + 1.0 / nullif(n_current_values, 0))" %}

with

statistics as (
    select
        statistics.*,
        tests.binned_p_value,
        tests.binned_adjusted_p_value,
        tests.binned_p_value_method,
        tests.chi_square_p_value,
        tests.chi_square_adjusted_p_value,
        tests.chi_square_p_value_method,
        tests.ks_p_value,
        tests.ks_adjusted_p_value,
        tests.ks_p_value_method,
        tests.missing_change_p_value,
        tests.missing_change_adjusted_p_value,
        tests.missing_change_p_value_method,
        columns.is_ranked,
        columns.is_ranked_by_segment,
        columns.preset,
        spans.monitor,
        spans.reference_key,
        spans.is_judged,
        spans.is_verdict,
        case when statistics.n_bins < 2 then 0 else quantiles.quantile_99 end
            as chi_square_quantile,
        cast(
            statistics.n_reference_missing
            + statistics.n_current_missing as {{ mlmon.type_double() }}
        ) / nullif(statistics.n_reference_rows + statistics.n_current_rows, 0) as missing_share
    from {{ ref('int_mlmon__drift_statistics') }} as statistics
    inner join {{ ref('int_mlmon__spans') }} as spans
        on
            statistics.window_key = spans.window_key
            and statistics.span_windows = spans.span_windows
    inner join {{ ref('int_mlmon__column_settings') }} as columns
        on
            spans.monitor = columns.monitor
            and statistics.column_name = columns.column_name
    left join {{ mlmon.drift_tests() }} as tests
        on statistics.test_number = tests.test_number
    left join {{ mlmon.seed_relation('mlmon_chi_square_quantiles') }} as quantiles
        on statistics.n_bins - 1 = quantiles.degrees_of_freedom
)

{% for method, test, min_detectable_effect in [
    ('psi', 'binned', binned),
    ('js_distance', 'binned', 'sqrt(' ~ binned ~ ' / (8 * ln(2.0)))'),
    ('js_divergence', 'binned', binned ~ ' / (8 * ln(2.0))'),
    ('hellinger', 'binned', 'sqrt(' ~ binned ~ ' / 8)'),
    ('total_variation', 'binned', 'sqrt(' ~ binned ~ ') / 2'),
    ('l_infinity', 'binned', 'sqrt(' ~ binned ~ ') / 2'),
    ('chi_square', 'chi_square', 'chi_square_quantile'),
    ('missing_change', 'missing_change', '2.5758293035489 * sqrt(missing_share * (1 - missing_share)'
        ~ ' * (1.0 / nullif(n_reference_rows, 0) + 1.0 / nullif(n_current_rows, 0)))'),
    ('ks', 'ks', ranked),
    ('wasserstein', 'ks', 'cast(null as ' ~ mlmon.type_double() ~ ')'),
    ('wasserstein_normed', 'ks', ranked),
] %}
{%- set counted = {'missing_change': '_rows', 'ks': '_values'}.get(test, '') %}
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
    is_verdict,
    monitor,
    reference_key,
    cast('{{ method }}' as {{ dbt.type_string() }}) as method,
    {{ method }} as value,
    {% if test == 'ks' -%}
    case when ks_is_exact then 'exact' when not ks_is_exact then 'cells' end as value_method,
    {%- else -%}
    cast('counts' as {{ dbt.type_string() }}) as value_method,
    {%- endif %}
    {{ test }}_p_value as p_value,
    {{ test }}_adjusted_p_value as adjusted_p_value,
    {{ test }}_p_value_method as p_value_method,
    {{ min_detectable_effect }} as min_detectable_effect,
    coalesce(n_reference{{ counted }}, 0) as n_reference,
    coalesce(n_current{{ counted }}, 0) as n_current,
    bin_spec_id,
    smoothing,
    {{ 'ks_read_share' if test == 'ks' else 'cast(null as ' ~ mlmon.type_double() ~ ')' }}
        as read_share
from statistics
{%- if method in mlmon.numeric_drift_methods() %}
where is_verdict and is_ranked and (segment_name = 'all' or is_ranked_by_segment)
{%- endif %}
{%- endfor %}
{%- if mlmon.computes_presets() %}
union all

-- Where the log no longer has all rows that were counted, there is no such number.
select
    statistics.window_key,
    statistics.span_windows,
    statistics.segment_name,
    statistics.segment_value,
    statistics.column_name,
    statistics.is_judged,
    statistics.is_verdict,
    statistics.monitor,
    statistics.reference_key,
    presets.method,
    presets.value,
    cast('exact' as {{ dbt.type_string() }}) as value_method,
    presets.p_value,
    cast(null as {{ mlmon.type_double() }}) as adjusted_p_value,
    statistics.preset as p_value_method,
    cast(null as {{ mlmon.type_double() }}) as min_detectable_effect,
    presets.n_reference,
    presets.n_current,
    statistics.bin_spec_id,
    statistics.preset as smoothing,
    cast(null as {{ mlmon.type_double() }}) as read_share
from {{ ref('int_mlmon__preset_statistics') }} as presets
inner join {{ ref('int_mlmon__ranked_ends') }} as ends
    on presets.end_number = ends.end_number
inner join statistics
    on
        ends.window_key = statistics.window_key
        and ends.span_windows = statistics.span_windows
        and presets.column_name = statistics.column_name
        and statistics.segment_name = 'all'
where
    presets.n_reference = statistics.n_reference_rows
    and presets.n_current = statistics.n_current_rows
{%- endif %}
