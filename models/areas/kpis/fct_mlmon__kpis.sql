-- One row per monitor, version ('all' for all versions together), closed window end, span, segment,
-- KPI and label age: its sum and its mean per request, against the same over the reference. It is
-- judged where the configuration gives it thresholds, at the horizon.
{{ config(enabled=mlmon.is_asked_for('kpis')) }}

with

spans as (
    select * from {{ ref('int_mlmon__kpi_spans') }}
),

-- The larger of both sides' own variance and of the variance that the baseline's spread leads one
-- to expect of so few requests: a handful that happen to be alike say nothing.
changed as (
    select
        spans.*,
        value - baseline as absolute_change,
        baseline_variance + greatest(
            coalesce(variance, 0), baseline_spread / nullif(n, 0)
        ) as change_variance,
        1e-12 * greatest(abs(value), abs(baseline)) as resolution
    from spans
),

tested as (
    select
        changed.*,
        absolute_change / nullif(abs(baseline), 0) as relative_change,
        1.959963984540054 * sqrt(change_variance) as half_width,
        case
            when absolute_change is null or change_variance is null then null
            -- What means of equal values differ by, and their spread, is rounding.
            when abs(absolute_change) <= resolution and sqrt(change_variance) <= resolution then 1
            when change_variance > 0
                then {{ mlmon.normal_p('least(abs(absolute_change) / sqrt(change_variance), 40)') }}
        end as p_value
    from changed
),

compared as (
    select
        tested.*,
        case when is_higher_better then 0 - relative_change else relative_change end
            as relative_loss
    from tested
),

judged as (
    select
        compared.*,
        case
            when not is_judged_age or coalesce(warning, critical) is null then 'not_judged_here'
            when needs_label and {{ mlmon.are_labels_late() }} then 'labels_late'
            when needs_label and expected_label_coverage is null and not is_mature then 'immature'
            when value is null then 'no_value'
            when baseline is null then 'no_baseline'
            when baseline = 0 then 'baseline_zero'
            when not is_judged then 'short_span'
            when p_value is null then 'no_interval'
            when
                {{ mlmon.reaches('relative_loss', 'critical') }}
                and {{ mlmon.is_significant('p_value') }}
                then 'above_critical'
            when
                {{ mlmon.reaches('relative_loss', 'warning') }}
                and {{ mlmon.is_significant('p_value') }}
                then 'above_warning'
            when {{ mlmon.reaches('relative_loss', 'coalesce(warning, critical)') }}
                then 'could_be_chance'
            else 'within_threshold'
        end as reason_code
    from compared
),

rated as (
    select
        judged.*,
        case
            when reason_code = 'not_judged_here' then 'not_judged'
            when reason_code = 'no_baseline' then 'no_reference'
            when reason_code = 'above_critical' then 'critical'
            when reason_code = 'above_warning' then 'warning'
            when reason_code in ('could_be_chance', 'within_threshold') then 'ok'
            else 'insufficient_data'
        end as verdict
    from judged
)

select
    {{ mlmon.window_columns('rated') }},
    rated.segment_name,
    rated.segment_value,
    rated.kpi,
    rated.label_age,
    rated.unit,
    rated.value_sum as value,
    rated.value as value_per_request,
    rated.value - 1.959963984540054 * sqrt(rated.variance) as value_low,
    rated.value + 1.959963984540054 * sqrt(rated.variance) as value_high,
    case when rated.variance is not null then 'normal' end as interval_method,
    rated.baseline as baseline_per_request,
    rated.absolute_change,
    rated.relative_change,
    rated.absolute_change - rated.half_width as change_low,
    rated.absolute_change + rated.half_width as change_high,
    rated.p_value,
    rated.warning as threshold_warning,
    rated.critical as threshold_critical,
    rated.n,
    rated.n_missing,
    rated.n_baseline,
    rated.label_coverage,
    rated.is_mature,
    rated.verdict as status,
    {{ mlmon.status_rank('rated.verdict') }} as status_rank,
    rated.reason_code,
    {{ mlmon.kpi_reason('rated') }} as reason
from rated
