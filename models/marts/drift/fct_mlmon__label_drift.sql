-- One row per monitor with labels, version, closed window end, span and drift method: the labels at
-- the horizon against the reference's, and what that was judged by. It is apart from
-- fct_mlmon__drift, whose rows do not change when labels come. The smallest effect is the one that
-- chance alone would seldom reach at this sample size (alpha 0.01).
{%- set keys = ['window_key', 'span_windows'] %}
{%- set is_class = "settings.label_kind = 'categorical'" %}

with

settings as (
    {{ mlmon.label_settings() }}
),

spans as (
    select
        spans.*,
        covered.label_age,
        settings.label_kind,
        settings.smoothing,
        covered.label_coverage,
        covered.expected_label_coverage,
        covered.readiness,
        {{ mlmon.label_spec_id(is_class, 'spans.fixed_reference_hash') }} as label_spec_id
    from {{ ref('int_mlmon__spans') }} as spans
    inner join settings
        on spans.monitor = settings.monitor
    inner join {{ ref('int_mlmon__span_coverage') }} as covered
        on
            spans.monitor_key = covered.monitor_key
            and spans.window_index = covered.window_index
            and spans.span_windows = covered.span_windows
            and covered.is_horizon
            and covered.segment_name = 'all'
    where spans.model_version <> 'all'
),

-- The labels at the horizon. Those of a reference table, whose monitor is NULL, have 0 days.
label_counts as (
    select
        counts.window_key,
        counts.monitor,
        counts.model_version,
        counts.window_index,
        counts.label_spec_id,
        counts.label_class as label_bin,
        sum(counts.n) as n
    from {{ ref('int_mlmon__label_counts') }} as counts
    left join settings
        on counts.monitor = settings.monitor
    where
        counts.segment_name = 'all'
        and counts.label_class is not null
        and counts.label_age_days <= coalesce(settings.label_horizon_days, 0)
    group by
        counts.window_key, counts.monitor, counts.model_version, counts.window_index,
        counts.label_spec_id, counts.label_class
    having sum(counts.n) > 0
),

mature_references as (
    select
        reference_facts.*,
        {{ mlmon.label_spec_id(is_class, 'reference_facts.reference_hash') }} as label_spec_id
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
    inner join ({{ mlmon.reference_windows() }}) as reference_windows
        on mature_references.reference_key = reference_windows.reference_key
    inner join label_counts as counts
        on
            reference_windows.window_key = counts.window_key
            and mature_references.label_spec_id = counts.label_spec_id
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
    inner join label_counts as counts
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
        label_bin as bin_index,
        cast('interval' as {{ dbt.type_string() }}) as bin_kind,
        cast('bin' as {{ dbt.type_string() }}) as missing_policy,
        cast(sum(reference_count) as bigint) as reference_count,
        cast(sum(current_count) as bigint) as current_count
    from both_sides
    group by window_key, span_windows, smoothing, label_bin
),

shares as (
    {{ mlmon.shares_of_counts('counted', keys) }}
),

-- (1/n + 1/m) times the 0.99 quantile of chi-square is the null quantile of psi.
statistics as (
    select
        quantiles.*,
        case
            when n_bins < 2 then 0
            else (1.0 / nullif(n_reference, 0) + 1.0 / nullif(n_current, 0)) * quantile_99
        end as null_quantile
    from (
        select
            statistics.*,
            {{ mlmon.chi_square_quantile('n_bins - 1') }} as quantile_99
        from (
            {{ mlmon.binned_statistics('shares', keys) }}
        ) as statistics
    ) as quantiles
),

-- Chi-square over all bins, and the test that judges the other statistics, in which bins too sparse
-- for it join the smallest dense bin (docs/numbers.md, "p-values").
tests as (
    select
        window_key,
        span_windows,
        'chi_square' as test_name,
        chi_square,
        n_bins - 1 as degrees_of_freedom
    from statistics
    where is_defined

    union all

    select
        window_key,
        span_windows,
        'chi_square_pooled' as test_name,
        pooled_chi_square as chi_square,
        degrees_of_freedom
    from statistics
    where is_defined
),

log_gammas as (
    {{ mlmon.log_gammas() }}
),

tails as (
    {{ mlmon.chi_square_tails('tests', keys + ['test_name']) }}
),

methods as (
    {%- for method, (test, effect) in {
        'psi': ('chi_square_pooled', 'null_quantile'),
        'js_distance': ('chi_square_pooled', 'sqrt(null_quantile / (8 * ln(2.0)))'),
        'total_variation': ('chi_square_pooled', 'sqrt(null_quantile) / 2'),
        'chi_square': ('chi_square', 'quantile_99'),
    }.items() %}
    {%- if not loop.first %}

    union all
    {% endif %}
    select
        window_key,
        span_windows,
        cast('{{ method }}' as {{ dbt.type_string() }}) as method,
        {{ method }} as value,
        cast('{{ test }}' as {{ dbt.type_string() }}) as p_value_method,
        {{ effect }} as min_detectable_effect,
        n_reference,
        n_current
    from statistics
    {%- endfor %}
),

thresholds as (
    select
        spans.window_key,
        spans.span_windows,
        thresholds.method,
        thresholds.warning,
        thresholds.critical,
        thresholds.is_deciding
    from spans
    inner join ({{ mlmon.drift_thresholds(
        "(select monitor, 'label' as column_name, 'label' as column_role from settings)"
    ) }}) as thresholds
        on
            spans.monitor = thresholds.monitor
            and spans.span_windows = thresholds.span_windows
),

compared as (
    select
        spans.*,
        coalesce(methods.method, thresholds.method) as method,
        methods.value,
        tails.p_value,
        methods.p_value_method,
        methods.min_detectable_effect,
        thresholds.warning as threshold_warning,
        thresholds.critical as threshold_critical,
        coalesce(thresholds.is_deciding, false) as is_deciding,
        coalesce(methods.n_reference, 0) as n_in_reference,
        coalesce(methods.n_current, 0) as n_current
    from methods
    full outer join thresholds
        on
            methods.window_key = thresholds.window_key
            and methods.span_windows = thresholds.span_windows
            and methods.method = thresholds.method
    inner join spans
        on
            coalesce(methods.window_key, thresholds.window_key) = spans.window_key
            and coalesce(methods.span_windows, thresholds.span_windows) = spans.span_windows
    left join tails
        on
            methods.window_key = tails.window_key
            and methods.span_windows = tails.span_windows
            and methods.p_value_method = tails.test_name
    where methods.value is not null or thresholds.is_deciding
),

judged as (
    select
        compared.*,
        case
            when not is_deciding then 'not_deciding'
            when n_in_reference = 0 then 'no_reference'
            when readiness <> 'ready' then readiness
            when not is_judged then 'short_span'
            when n_current = 0 then 'no_labels'
            when value is null then 'undefined'
            when threshold_warning is null then 'no_threshold'
            when
                {{ mlmon.reaches('value', 'threshold_critical') }}
                and p_value < 0.01 * (1 - 1e-12)
                then 'above_critical'
            when
                {{ mlmon.reaches('value', 'threshold_warning') }}
                and p_value < 0.01 * (1 - 1e-12)
                then 'above_warning'
            when min_detectable_effect > threshold_warning * (1 + 1e-12) then 'sample_too_small'
            when {{ mlmon.reaches('value', 'threshold_warning') }} then 'could_be_chance'
            else 'within_threshold'
        end as reason_code
    from compared
),

rated as (
    select
        judged.*,
        case
            when reason_code = 'not_deciding' then 'not_judged'
            when reason_code = 'no_reference' then 'no_reference'
            when reason_code = 'above_critical' then 'critical'
            when reason_code = 'above_warning' then 'warning'
            when reason_code in ('could_be_chance', 'within_threshold') then 'ok'
            else 'insufficient_data'
        end as status
    from judged
)

select
    rated.window_key,
    {{ mlmon.window_columns('rated') }},
    cast('all' as {{ dbt.type_string() }}) as segment_name,
    cast('all' as {{ dbt.type_string() }}) as segment_value,
    {{ mlmon.column_key('rated.monitor', "'label'", "'label'") }} as column_key,
    cast('label' as {{ dbt.type_string() }}) as column_name,
    cast('label' as {{ dbt.type_string() }}) as column_role,
    rated.label_kind as column_kind,
    rated.method,
    rated.label_age,
    rated.value,
    rated.p_value,
    rated.p_value as adjusted_p_value,
    case when rated.p_value is not null then rated.p_value_method end as p_value_method,
    rated.threshold_warning,
    rated.threshold_critical,
    case when rated.threshold_warning is not null then 'fixed' end as threshold_source,
    rated.min_detectable_effect,
    cast(rated.n_in_reference as bigint) as n_reference,
    cast(rated.n_current as bigint) as n_current,
    rated.label_coverage,
    case
        when rated.label_kind = 'categorical'
            then md5(
                rated.monitor || '|label|class|' || coalesce(rated.fixed_reference_hash, '')
            )
        else rated.label_spec_id
    end as bin_spec_id,
    rated.smoothing,
    rated.fixed_reference_hash as reference_hash,
    rated.is_deciding,
    rated.status,
    {{ mlmon.status_rank('rated.status') }} as status_rank,
    rated.reason_code,
    {{ mlmon.label_drift_reason('rated') }} as reason
from rated
