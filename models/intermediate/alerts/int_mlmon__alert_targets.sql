-- One row per sound rule row, monitor and metric: the rule made concrete for one
-- monitor, with its spans as numbers. Rows that are switched off stay in: one that wins
-- its series switches the rule off there.
{{ config(materialized='table') }}

with

rules as (
    select * from {{ ref('int_mlmon__alert_rules') }}
    where is_valid
),

monitors as (
    select
        monitor,
        max(default_span_windows) as default_span_windows,
        max(verdict_span_windows) as verdict_span_windows,
        max(label_horizon_days) as label_horizon_days,
        max(primary_metric) as primary_metric
    from {{ ref('dim_mlmon__monitors') }}
    group by monitor
),

known_metrics as (
    select * from {{ ref('dim_mlmon__metrics') }}
),

rules_of_monitors as (
    select
        rules.rule_key,
        rules.rule_id,
        rules.name as rule_name,
        rules.measure,
        monitors.monitor,
        rules.model_version as version_selector,
        replace(
            rules.metric, '{primary_metric}', coalesce(monitors.primary_metric, '')
        ) as metric_selector,
        rules.column_role as column_role_selector,
        rules.column_name as column_name_selector,
        rules.class_label as class_label_selector,
        rules.segment_name as segment_name_selector,
        rules.segment_value as segment_value_selector,
        case
            when rules.label_age = 'horizon'
                then
                    cast(monitors.label_horizon_days as {{ dbt.type_string() }}) || 'd'
            else rules.label_age
        end as label_age_selector,
        rules.span_text,
        rules.span_number,
        rules.resolve_span_text,
        rules.resolve_span_number,
        monitors.default_span_windows,
        monitors.verdict_span_windows,
        rules.warning_condition,
        rules.warning_low,
        rules.warning_high,
        rules.warning_lower,
        rules.warning_upper,
        rules.critical_condition,
        rules.critical_low,
        rules.critical_high,
        rules.critical_lower,
        rules.critical_upper,
        rules.min_samples,
        rules.rule_version,
        rules.exactness,
        rules.is_enabled
    from rules
    inner join monitors
        on rules.monitor in ('*', monitors.monitor)
),

targets as (
    select
        rules_of_monitors.*,
        known_metrics.metric,
        -- The default span of drift is the one that is judged.
        case
            when known_metrics.family = 'drift' then rules_of_monitors.verdict_span_windows
            else rules_of_monitors.default_span_windows
        end as usual_span_windows
    from rules_of_monitors
    inner join known_metrics
        on {{ mlmon.rule_names_metric(
            'rules_of_monitors.metric_selector', 'known_metrics.metric'
        ) | indent(8) }}
)

select
    rule_key,
    rule_id,
    rule_name,
    measure,
    monitor,
    version_selector,
    metric_selector,
    column_role_selector,
    column_name_selector,
    class_label_selector,
    segment_name_selector,
    segment_value_selector,
    label_age_selector,
    warning_condition,
    warning_low,
    warning_high,
    warning_lower,
    warning_upper,
    critical_condition,
    critical_low,
    critical_high,
    critical_lower,
    critical_upper,
    min_samples,
    rule_version,
    exactness,
    is_enabled,
    metric,
    case when span_text = 'default' then usual_span_windows else span_number end as span_windows,
    case
        when resolve_span_text = 'default' then usual_span_windows
        when resolve_span_text = 'same' and span_text = 'default' then usual_span_windows
        when resolve_span_text = 'same' then span_number
        else resolve_span_number
    end as resolve_span_windows
from targets
