-- One row per monitor, version, closed window end, span, segment and judged metric: its loss against the baseline,
-- with the probability of such a loss by chance.
with

performance as (
    select performance.*
    from {{ ref('fct_mlmon__performance') }} as performance
    inner join ({{ mlmon.label_age_settings() }}) as label_ages
        on
            performance.monitor = label_ages.monitor
            and performance.label_age = label_ages.label_age
            and label_ages.is_horizon
),

judged_metrics as (
    {{ mlmon.judged_metric_settings() }}
),

baselines as (
    select * from {{ ref('int_mlmon__baselines') }}
),

spans as (
    select
        monitor_key,
        window_end,
        span_windows,
        is_judged
    from {{ ref('int_mlmon__version_spans') }}
),

matched_thresholds as (
    select * from {{ ref('int_mlmon__degradation_thresholds') }}
),

compared as (
    select
        performance.monitor_key,
        performance.monitor,
        performance.model_version,
        performance.window_start,
        performance.window_end,
        performance.window_date,
        performance.span_windows,
        performance.segment_name,
        performance.segment_value,
        performance.metric,
        performance.class_label,
        performance.label_age,
        performance.label_age_days,
        performance.value,
        performance.n,
        performance.label_coverage,
        performance.expected_label_coverage,
        performance.is_mature,
        spans.is_judged,
        coalesce(baselines.baseline_kind, 'none') as baseline_kind,
        baselines.value as baseline_value,
        baselines.n as n_baseline,
        matched_thresholds.warning,
        matched_thresholds.critical,
        -- Positive is worse: every metric of this table is better when higher.
        baselines.value - performance.value as absolute_loss,
        (baselines.value - performance.value) / nullif(baselines.value, 0) as relative_loss,
        baselines.variance as baseline_variance,
        power(
            greatest(
                performance.value_high - performance.value,
                performance.value - performance.value_low
            ) / 1.959963984540054, 2
        ) as variance
    from performance
    inner join judged_metrics
        on
            performance.monitor = judged_metrics.monitor
            and performance.metric = judged_metrics.metric
    inner join spans
        on
            performance.monitor_key = spans.monitor_key
            and performance.window_end = spans.window_end
            and performance.span_windows = spans.span_windows
    left join baselines
        on
            performance.monitor = baselines.monitor
            and performance.model_version = baselines.model_version
            and performance.segment_name = baselines.segment_name
            and performance.segment_value = baselines.segment_value
            and performance.metric = baselines.metric
    left join matched_thresholds
        on
            performance.monitor = matched_thresholds.monitor
            and performance.metric = matched_thresholds.metric
            and performance.span_windows = matched_thresholds.span_windows
),

varied as (
    select
        compared.*,
        {{ mlmon.loss_variance(
            'metric', 'value', 'nullif(n, 0)', 'baseline_value', 'nullif(n_baseline, 0)',
            'variance', 'baseline_variance',
        ) }} as loss_variance,
        {{ mlmon.side_bound('metric', 'value', 'nullif(n, 0)', 'variance', '-') }} as value_low,
        {{ mlmon.side_bound('metric', 'value', 'nullif(n, 0)', 'variance', '+') }} as value_high,
        {{ mlmon.side_bound(
            'metric', 'baseline_value', 'nullif(n_baseline, 0)', 'baseline_variance', '-'
        ) }} as baseline_low,
        {{ mlmon.side_bound(
            'metric', 'baseline_value', 'nullif(n_baseline, 0)', 'baseline_variance', '+'
        ) }} as baseline_high
    from compared
)

select
    varied.*,
    absolute_loss - sqrt(power(baseline_value - baseline_low, 2) + power(value_high - value, 2))
        as loss_low,
    absolute_loss + sqrt(power(baseline_high - baseline_value, 2) + power(value - value_low, 2))
        as loss_high,
    case
        when absolute_loss = 0 then 1.0
        else {{ mlmon.loss_p(
            'absolute_loss', 'loss_variance', 'nullif(n, 0)', 'nullif(n_baseline, 0)'
        ) }}
    end as p_value
from varied
