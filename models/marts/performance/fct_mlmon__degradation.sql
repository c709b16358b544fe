-- One row per monitor, version, closed window end, span, segment, judged metric and kind of
-- baseline: the metric at the horizon age against its baseline. A loss counts when it is large and
-- unlikely to be chance; a window whose labels are late is never called degraded. The monitor's own
-- kind of baseline decides, the others inform.
with

metrics as (
    select
        metric,
        case when is_higher_better then 1 else -1 end as direction
    from {{ ref('dim_mlmon__metrics') }}
),

-- Of the rows of the seed degradation_thresholds that match a monitor's metric and span, the one
-- with the most exact matches wins.
thresholds as (
    select
        judged_metrics.monitor,
        judged_metrics.metric,
        spans.span_windows,
        {{ mlmon.try_double('thresholds.warning') }} as warning,
        {{ mlmon.try_double('thresholds.critical') }} as critical,
        row_number() over (
            partition by judged_metrics.monitor, judged_metrics.metric, spans.span_windows
            order by
                case when thresholds.monitor = '*' then 0 else 4 end
                + case when thresholds.metric = '*' then 0 else 2 end
                + case when cast(thresholds.span_windows as {{ dbt.type_string() }}) = '*'
                    then 0 else 1 end desc,
                {{ mlmon.try_double('thresholds.warning') }} nulls last
        ) as match_rank
    from ({{ mlmon.judged_metric_settings() }}) as judged_metrics
    inner join ({{ mlmon.span_settings() }}) as spans
        on judged_metrics.monitor = spans.monitor
    inner join {{ mlmon.seed_relation('degradation_thresholds') }} as thresholds
        on
            thresholds.monitor in ('*', judged_metrics.monitor)
            and thresholds.metric in ('*', judged_metrics.metric)
            and cast(thresholds.span_windows as {{ dbt.type_string() }}) in (
                '*', cast(spans.span_windows as {{ dbt.type_string() }})
            )
),

-- A loss is positive where the value is worse than its baseline.
compared as (
    select
        performance.*,
        metrics.direction,
        thresholds.warning,
        thresholds.critical,
        metrics.direction * (performance.baseline_value - performance.value) as absolute_loss
    from {{ ref('int_mlmon__performance_baselines') }} as performance
    inner join metrics
        on performance.metric = metrics.metric
    left join thresholds
        on
            performance.monitor = thresholds.monitor
            and performance.metric = thresholds.metric
            and performance.span_windows = thresholds.span_windows
            and thresholds.match_rank = 1
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
        -- The ends of both sides' intervals that make the loss smaller, and those that make it
        -- larger.
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

-- Benjamini-Hochberg over the metrics, and over the values of one segment column, of a window end,
-- span and kind of baseline. Equal p-values share the greatest of their ranks: the minimum below
-- runs over equal values.
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
),

adjusted as (
    select
        ranked.*,
        case
            when p_value is not null
                then least(1.0, min(p_value * n_p / p_rank) over (
                    partition by
                        monitor_key, window_end, span_windows, segment_name, baseline_kind
                    order by p_value desc nulls last
                    range between unbounded preceding and current row
                ))
        end as adjusted_p_value
    from ranked
),

judged as (
    select
        adjusted.*,
        case
            when value is null then 'no_value'
            when baseline_value is null then 'no_baseline'
            when baseline_value = 0 then 'baseline_zero'
            when not is_judged then 'short_span'
            when {{ mlmon.are_labels_late() }} then 'labels_late'
            when expected_label_coverage is null and not is_mature then 'immature'
            when p_value is null then 'no_interval'
            when
                {{ mlmon.reaches('relative_loss', 'critical') }}
                and {{ mlmon.is_significant('adjusted_p_value') }}
                then 'above_critical'
            when
                {{ mlmon.reaches('relative_loss', 'warning') }}
                and {{ mlmon.is_significant('adjusted_p_value') }}
                then 'above_warning'
            when {{ mlmon.reaches('relative_loss', 'warning') }} then 'could_be_chance'
            when
                {{ mlmon.reaches('0 - relative_loss', 'critical') }}
                and {{ mlmon.is_significant('adjusted_p_value') }}
                then 'changed'
            else 'within_threshold'
        end as reason_code
    from adjusted
),

rated as (
    select
        judged.*,
        case
            when not is_deciding then 'not_judged'
            when reason_code = 'no_baseline' then 'no_reference'
            when reason_code in (
                'no_value', 'baseline_zero', 'short_span', 'labels_late', 'immature',
                'no_interval'
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
    rated.loss_low,
    rated.loss_high,
    rated.p_value,
    rated.adjusted_p_value,
    rated.warning as threshold_warning,
    rated.critical as threshold_critical,
    rated.n,
    rated.n_baseline,
    rated.label_coverage,
    rated.is_mature,
    rated.is_deciding,
    rated.verdict as status,
    {{ mlmon.status_rank('rated.verdict') }} as status_rank,
    rated.reason_code,
    case rated.reason_code
        when 'no_value'
            then 'The metric is undefined in this span: no labels, or not those that it needs.'
        when 'no_baseline'
            then 'Nothing to compare with: ' || {{ mlmon.missing_baseline('rated.baseline_asked') }}
        when 'baseline_zero' then 'The baseline is 0: no relative loss can be told.'
        when 'short_span' then 'Fewer than half the windows of this span exist.'
        when 'labels_late'
            then
                'Labels are late: ' || {{ mlmon.percent_text('rated.label_coverage') }}
                || ' arrived where ' || {{ mlmon.percent_text('rated.expected_label_coverage') }}
                || ' are usual.'
        when 'immature' then 'Not all labels can have arrived yet.'
        when 'no_interval' then 'Too few rows, or all alike: what chance does cannot be told.'
        else
            rated.metric || ' is ' || {{ mlmon.short_number('rated.value') }}
            || ' against ' || {{ mlmon.short_number('rated.baseline_value') }}
            || case rated.reason_code
                when 'above_critical' then ': a critical loss.'
                when 'above_warning' then ': a loss.'
                when 'could_be_chance' then ': a loss that could be chance.'
                when 'changed'
                    then ': much better than its baseline. Did labels leak into features?'
                else '.'
            end
    end as reason
from rated
