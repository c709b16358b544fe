-- One row per monitor, version, closed window end, span, segment and judged metric: the metric at the horizon age
-- against its baseline. A loss counts when it is large and unlikely to be chance; a window whose labels are
-- late is never called degraded.
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

thresholds as (
    select * from {{ mlmon.seed_relation('degradation_thresholds') }}
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
    select
        settings.monitor,
        settings.metric,
        settings.span_windows,
        {{ mlmon.try_double('thresholds.warning') }} as warning,
        {{ mlmon.try_double('thresholds.critical') }} as critical,
        row_number() over (
            partition by settings.monitor, settings.metric, settings.span_windows
            order by
                case when thresholds.monitor = '*' then 0 else 4 end
                + case when thresholds.metric = '*' then 0 else 2 end
                + case when cast(thresholds.span_windows as {{ dbt.type_string() }}) = '*'
                    then 0 else 1 end desc,
                {{ mlmon.try_double('thresholds.warning') }} nulls last
        ) as match_rank
    from (
        select
            judged_metrics.monitor,
            judged_metrics.metric,
            configured.span_windows
        from judged_metrics
        inner join ({{ mlmon.span_settings() }}) as configured
            on judged_metrics.monitor = configured.monitor
    ) as settings
    inner join thresholds
        on
            thresholds.monitor in ('*', settings.monitor)
            and thresholds.metric in ('*', settings.metric)
            and cast(thresholds.span_windows as {{ dbt.type_string() }}) in (
                '*', cast(settings.span_windows as {{ dbt.type_string() }})
            )
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
        sqrt(
            {{ mlmon.interval_variance('performance') }} + coalesce(baselines.variance, 0)
        ) as standard_error
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
            and matched_thresholds.match_rank = 1
),

tested as (
    select
        compared.*,
        case
            when standard_error > 0
                then {{ mlmon.normal_p('absolute_loss / standard_error') }}
            when standard_error = 0 and absolute_loss = 0 then 1.0
            when standard_error = 0 then 0.0
        end as p_value
    from compared
),

judged as (
    select
        tested.*,
        case
            when value is null then 'no_value'
            when baseline_value is null then 'no_baseline'
            when baseline_value = 0 then 'baseline_zero'
            when not is_judged then 'short_span'
            when
                expected_label_coverage is not null
                and not {{ mlmon.reaches('label_coverage', 'expected_label_coverage - 0.05') }}
                then 'labels_late'
            when expected_label_coverage is null and not is_mature then 'immature'
            when {{ mlmon.reaches('relative_loss', 'critical') }} and p_value < 0.01
                then 'above_critical'
            when {{ mlmon.reaches('relative_loss', 'warning') }} and p_value < 0.01
                then 'above_warning'
            when {{ mlmon.reaches('relative_loss', 'warning') }} then 'could_be_chance'
            else 'within_threshold'
        end as reason_code
    from tested
),

rated as (
    select
        judged.*,
        case
            when reason_code = 'no_baseline' then 'no_reference'
            when reason_code in (
                'no_value', 'baseline_zero', 'short_span', 'labels_late', 'immature'
            ) then 'insufficient_data'
            when reason_code = 'above_critical' then 'critical'
            when reason_code = 'above_warning' then 'warning'
            else 'ok'
        end as verdict
    from judged
)

select
    {{ mlmon.window_columns('rated') }},
    rated.segment_name,
    rated.segment_value,
    rated.metric,
    rated.class_label,
    rated.label_age,
    rated.label_age_days,
    rated.baseline_kind,
    rated.value,
    rated.baseline_value,
    rated.absolute_loss,
    rated.relative_loss,
    rated.absolute_loss - 1.959963984540054 * rated.standard_error as loss_low,
    rated.absolute_loss + 1.959963984540054 * rated.standard_error as loss_high,
    rated.p_value,
    rated.p_value as adjusted_p_value,
    rated.warning as threshold_warning,
    rated.critical as threshold_critical,
    rated.n,
    rated.n_baseline,
    rated.label_coverage,
    rated.is_mature,
    rated.verdict as status,
    {{ mlmon.status_rank('rated.verdict') }} as status_rank,
    rated.reason_code,
    case rated.reason_code
        when 'no_value' then 'The metric is undefined in this span: too few labels.'
        when 'no_baseline' then 'Neither a labelled reference nor a given baseline.'
        when 'baseline_zero' then 'The baseline is 0: no relative loss can be told.'
        when 'short_span' then 'Fewer than half the windows of this span exist.'
        when 'labels_late'
            then
                'Labels are late: ' || {{ mlmon.percent_text('rated.label_coverage') }}
                || ' arrived where ' || {{ mlmon.percent_text('rated.expected_label_coverage') }}
                || ' are usual.'
        when 'immature' then 'Not all labels can have arrived yet.'
        else
            rated.metric || ' is ' || {{ mlmon.short_number('rated.value') }}
            || ' against ' || {{ mlmon.short_number('rated.baseline_value') }}
            || case rated.reason_code
                when 'above_critical' then ': a critical loss.'
                when 'above_warning' then ': a loss.'
                when 'could_be_chance' then ': a loss that could be chance.'
                else '.'
            end
    end as reason
from rated
