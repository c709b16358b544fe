-- One row per monitor, version, closed window end, span, segment, column and drift method: the
-- statistic and what it was judged by. The whole monitor has all methods; segments have the
-- deciding ones at the verdict span.
{{ config(
    materialized='incremental',
    incremental_strategy='mlmon_windows',
    unique_key='window_key',
    on_schema_change='append_new_columns',
    meta={'stale': 'drift'},
    post_hook="{{ mlmon.record_windows('drift') }}",
) }}
{%- set psi_of_chance = "(1.0 / nullif(n_reference, 0) + 1.0 / nullif(n_current, 0))"
    ~ " * chi_square_quantile" %}
{%- set ranked = "1.6276236115189503 * sqrt(1.0 / nullif(n_reference_values, 0)"
    ~ " + 1.0 / nullif(n_current_values, 0))" %}
{%- set changed = "2.5758293035489 * sqrt(missing_share * (1 - missing_share)"
    ~ " * (1.0 / nullif(n_reference_rows, 0) + 1.0 / nullif(n_current_rows, 0)))" %}

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
        case
            when statistics.n_bins < 2 then 0
            else {{ mlmon.chi_square_quantile('statistics.n_bins - 1') }}
        end as chi_square_quantile,
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
),

-- One row per comparison and method. min_detectable_effect is the smallest effect that chance alone
-- would seldom reach at this sample size (alpha 0.01).
methods as (
    {%- set binned = [] %}
    {%- for method, statistic in mlmon.binned_methods().items() %}
        {%- do binned.append(
            (method, 'binned', statistic.effect | replace('{x}', psi_of_chance))
        ) %}
    {%- endfor %}
    {%- for method, test, min_detectable_effect in binned + [
        ('chi_square', 'chi_square', 'chi_square_quantile'),
        ('missing_change', 'missing_change', changed),
        ('ks', 'ks', ranked),
        ('wasserstein', 'ks', 'cast(null as ' ~ mlmon.type_double() ~ ')'),
        ('wasserstein_normed', 'ks', ranked),
    ] %}
    {%- set counted = {'missing_change': '_rows', 'ks': '_values'}.get(test, '') %}
    {%- if not loop.first %}

    union all
    {%- endif %}

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
        case when {{ method }}_error = 0 then 'exact' when {{ method }}_error > 0 then 'cells' end
            as value_method,
        {{ method }}_error as value_error,
        {%- else -%}
        cast('counts' as {{ dbt.type_string() }}) as value_method,
        cast(0 as {{ mlmon.type_double() }}) as value_error,
        {%- endif %}
        {{ test }}_p_value as p_value,
        {{ test }}_adjusted_p_value as adjusted_p_value,
        {{ test }}_p_value_method as p_value_method,
        {{ min_detectable_effect }} as min_detectable_effect,
        coalesce(n_reference{{ counted }}, 0) as n_reference,
        coalesce(n_current{{ counted }}, 0) as n_current,
        bin_spec_id,
        smoothing
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
        cast(0 as {{ mlmon.type_double() }}) as value_error,
        presets.p_value,
        cast(null as {{ mlmon.type_double() }}) as adjusted_p_value,
        statistics.preset as p_value_method,
        cast(null as {{ mlmon.type_double() }}) as min_detectable_effect,
        presets.n_reference,
        presets.n_current,
        statistics.bin_spec_id,
        statistics.preset as smoothing
    from {{ ref('int_mlmon__preset_statistics') }} as presets
    inner join statistics
        on
            presets.window_key = statistics.window_key
            and presets.column_name = statistics.column_name
            and statistics.is_verdict
            and statistics.segment_name = 'all'
    where
        presets.n_reference = statistics.n_reference_rows
        and presets.n_current = statistics.n_current_rows
    {%- endif %}
),

-- A method is shown where the column has it or where it decides.
limited as (
    select
        methods.*,
        thresholds.warning as fixed_warning,
        thresholds.critical as fixed_critical,
        variation.threshold as varied_warning,
        settings.threshold_policy,
        columns.column_key,
        columns.column_role,
        columns.column_kind,
        case
            when columns.deciding_methods is null then coalesce(thresholds.is_deciding, false)
            else columns.deciding_methods like '%,' || methods.method || ',%'
        end as is_deciding,
        columns.methods like '%,' || methods.method || ',%'
        or coalesce(methods.method like columns.preset || '%', false) as is_asked
    from methods
    inner join {{ ref('int_mlmon__settings') }} as settings
        on methods.monitor = settings.monitor
    inner join {{ ref('int_mlmon__column_settings') }} as columns
        on
            methods.monitor = columns.monitor
            and methods.column_name = columns.column_name
    left join ({{ mlmon.drift_thresholds(ref('int_mlmon__column_settings')) }}) as thresholds
        on
            methods.monitor = thresholds.monitor
            and methods.column_name = thresholds.column_name
            and methods.span_windows = thresholds.span_windows
            and methods.method = thresholds.method
    left join {{ ref('int_mlmon__reference_variation') }} as variation
        on
            methods.reference_key = variation.reference_key
            and methods.span_windows = variation.span_windows
            and methods.segment_name = variation.segment_name
            and methods.segment_value = variation.segment_value
            and methods.column_name = variation.column_name
            and methods.method = variation.method
),

-- The larger of the fixed threshold and how much the reference varies by itself; critical scales
-- with it.
sourced as (
    select
        limited.*,
        coalesce(
            threshold_policy <> 'fixed'
            and (
                threshold_policy = 'reference_windows' or fixed_warning is null
                or varied_warning > fixed_warning
            )
            and varied_warning > 0,
            false
        ) as is_varied
    from limited
),

limits as (
    select
        sourced.*,
        case when is_varied then varied_warning else fixed_warning end as warning,
        case
            when is_varied then varied_warning * (fixed_critical / nullif(fixed_warning, 0))
            else fixed_critical
        end as critical
    from sourced
    where
        (is_asked and (value is not null or p_value is not null or method = 'psi'))
        or is_deciding
),

-- Several deciding methods may each raise a false alarm: they share the level.
levelled as (
    select
        limits.*,
        0.01 * (1 - 1e-12) / nullif(
            sum(case when is_deciding and p_value is not null then 1 else 0 end) over (
                partition by {{ mlmon.comparison_keys() | join(', ') }}
            ), 0
        ) as alpha
    from limits
    where segment_name = 'all' or is_deciding
),

judged as (
    select
        levelled.*,
        case
            when not is_deciding then 'not_deciding'
            when n_reference = 0 then 'no_reference'
            when n_current = 0 then 'no_rows'
            when not is_judged then 'short_span'
            when value is null then 'undefined'
            when warning is null then 'no_threshold'
            when
                {{ mlmon.reaches('abs(value)', 'critical') }}
                and adjusted_p_value < alpha
                then 'above_critical'
            when
                {{ mlmon.reaches('abs(value)', 'warning') }}
                and adjusted_p_value < alpha
                then 'above_warning'
            when min_detectable_effect > warning * (1 + 1e-12) then 'sample_too_small'
            when {{ mlmon.reaches('abs(value)', 'warning') }} then 'could_be_chance'
            else 'within_threshold'
        end as reason_code
    from levelled
),

rated as (
    select
        judged.*,
        case
            when reason_code = 'not_deciding' then 'not_judged'
            when reason_code = 'no_reference' then 'no_reference'
            when reason_code in (
                'no_rows', 'short_span', 'undefined', 'no_threshold', 'sample_too_small'
            ) then 'insufficient_data'
            when reason_code = 'above_critical' then 'critical'
            when reason_code = 'above_warning' then 'warning'
            else 'ok'
        end as status
    from judged
)

select
    spans.window_key,
    {{ mlmon.window_columns('spans') }},
    rated.segment_name,
    rated.segment_value,
    rated.column_key,
    rated.column_name,
    rated.column_role,
    rated.column_kind,
    rated.method,
    rated.value,
    rated.value_method,
    case when rated.value is not null then rated.value_error end as value_error,
    rated.p_value,
    rated.adjusted_p_value,
    case when rated.p_value is not null then rated.p_value_method end as p_value_method,
    rated.warning as threshold_warning,
    rated.critical as threshold_critical,
    case
        when rated.is_varied then 'reference_windows'
        when rated.warning is not null then 'fixed'
    end as threshold_source,
    rated.min_detectable_effect,
    rated.n_reference,
    rated.n_current,
    coalesce(rated.bin_spec_id, 'none') as bin_spec_id,
    rated.smoothing,
    spans.reference_hash,
    rated.is_deciding,
    rated.is_verdict,
    rated.status,
    {{ mlmon.status_rank('rated.status') }} as status_rank,
    rated.reason_code
from rated
inner join {{ ref('int_mlmon__spans') }} as spans
    on
        rated.window_key = spans.window_key
        and rated.span_windows = spans.span_windows
