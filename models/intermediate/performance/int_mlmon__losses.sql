-- One row per judged value of performance and baseline: its loss, which is positive where the value is worse, with the
-- probability of such a loss by chance.
with

performance as (
    select * from {{ ref('int_mlmon__judged_performance') }}
),

baselines as (
    select * from {{ ref('int_mlmon__performance_baselines') }}
),

metrics as (
    select
        metric,
        case when is_higher_better then 1 else -1 end as direction
    from {{ ref('dim_mlmon__metrics') }}
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
        performance.value_low,
        performance.value_high,
        performance.interval_method = 'wilson' as is_proportion,
        performance.n,
        performance.label_coverage,
        performance.expected_label_coverage,
        performance.is_mature,
        performance.is_judged,
        baselines.baseline_kind,
        baselines.is_deciding,
        baselines.baseline_asked,
        baselines.value as baseline_value,
        baselines.value_low as baseline_low,
        baselines.value_high as baseline_high,
        baselines.variance as baseline_variance,
        baselines.n as n_baseline,
        metrics.direction,
        matched_thresholds.warning,
        matched_thresholds.critical,
        performance.standard_error * performance.standard_error as variance,
        metrics.direction * (baselines.value - performance.value) as absolute_loss
    from performance
    inner join baselines
        on
            performance.monitor_key = baselines.monitor_key
            and performance.window_index = baselines.window_index
            and performance.span_windows = baselines.span_windows
            and performance.segment_name = baselines.segment_name
            and performance.segment_value = baselines.segment_value
            and performance.metric = baselines.metric
    inner join metrics
        on performance.metric = metrics.metric
    left join matched_thresholds
        on
            performance.monitor = matched_thresholds.monitor
            and performance.metric = matched_thresholds.metric
            and performance.span_windows = matched_thresholds.span_windows
),

bounded as (
    select
        compared.*,
        {{ mlmon.loss_variance(
            'metric', 'is_proportion', 'value', 'nullif(n, 0)', 'baseline_value',
            'nullif(n_baseline, 0)', 'variance', 'baseline_variance',
        ) }} as loss_variance,
        value - {{ mlmon.side_bound(
            'metric', 'is_proportion', 'value', 'nullif(n, 0)', 'variance', 'value_low', '-'
        ) }} as below,
        {{ mlmon.side_bound(
            'metric', 'is_proportion', 'value', 'nullif(n, 0)', 'variance', 'value_high', '+'
        ) }} - value as above,
        baseline_value - {{ mlmon.side_bound(
            'metric', 'is_proportion', 'baseline_value', 'nullif(n_baseline, 0)',
            'baseline_variance', 'baseline_low', '-',
        ) }} as baseline_below,
        {{ mlmon.side_bound(
            'metric', 'is_proportion', 'baseline_value', 'nullif(n_baseline, 0)',
            'baseline_variance', 'baseline_high', '+',
        ) }} - baseline_value as baseline_above
    from compared
),

tested as (
    select
        bounded.*,
        absolute_loss / nullif(abs(baseline_value), 0) as relative_loss,
        -- The ends of both sides' intervals that make the loss smaller, and those that make it larger.
        absolute_loss - sqrt(
            power(case when direction = 1 then baseline_below else baseline_above end, 2)
            + power(case when direction = 1 then above else below end, 2)
        ) as loss_low,
        absolute_loss + sqrt(
            power(case when direction = 1 then baseline_above else baseline_below end, 2)
            + power(case when direction = 1 then below else above end, 2)
        ) as loss_high,
        case
            when absolute_loss = 0 then 1.0
            else {{ mlmon.loss_p(
                'metric', 'absolute_loss', 'is_proportion', 'loss_variance', 'nullif(n, 0)',
                'nullif(n_baseline, 0)',
            ) }}
        end as p_value
    from bounded
),

-- Benjamini-Hochberg over the metrics, and over the values of one segment column, of a window end, span and
-- kind of baseline. Equal p-values share the greatest of their ranks: the minimum below runs over peers.
ranked as (
    select
        tested.*,
        row_number() over (
            partition by monitor_key, window_end, span_windows, segment_name, baseline_kind
            order by p_value nulls last
        ) as p_rank,
        count(p_value) over (
            partition by monitor_key, window_end, span_windows, segment_name, baseline_kind
        ) as n_p
    from tested
)

select
    ranked.*,
    case
        when p_value is not null
            then least(1.0, min(p_value * n_p / p_rank) over (
                partition by monitor_key, window_end, span_windows, segment_name, baseline_kind
                order by p_value desc nulls last
                range between unbounded preceding and current row
            ))
    end as adjusted_p_value
from ranked
