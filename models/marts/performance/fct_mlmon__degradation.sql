-- One row per monitor, version, closed window end, span, segment, judged metric and kind of baseline: the metric at the
-- horizon age against its baseline. A loss counts when it is large and unlikely to be chance; a window whose
-- labels are late is never called degraded. The monitor's own kind of baseline decides, the others inform.
with

tested as (
    select * from {{ ref('int_mlmon__losses') }}
),

judged as (
    select
        tested.*,
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
    from tested
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
