-- One row per row of the alert rules, checked: the numbers behind its conditions, how
-- exactly it selects and, where it cannot be used, the problem in words. A row with a
-- problem never judges anything.
{{ config(materialized='table') }}
{%- set exactness = [] %}
{%- for column in mlmon.alert_rule_selectors() %}
    {%- set weight = 1000 + 2 ** (8 - loop.index0) %}
    {%- do exactness.append(
        "case when " ~ column ~ " like '%*' then 0 else " ~ weight ~ " end"
    ) %}
{%- endfor %}

with

rules as (
    select * from {{ ref('int_mlmon__alert_rule_rows') }}
),

conditions as (
    select * from {{ ref('int_mlmon__alert_conditions') }}
),

known_metrics as (
    select * from {{ ref('dim_mlmon__metrics') }}
),

-- Twice the same selection under one rule_id: nobody could say which row holds.
selections as (
    select
        rule_key,
        count(*) as n_rows
    from rules
    group by rule_key
),

named_metrics as (
    select
        rules.rule_key,
        count(*) as n_metrics
    from rules
    inner join known_metrics
        on {{ mlmon.rule_names_metric('rules.metric', 'known_metrics.metric') }}
    group by rules.rule_key
),

joined as (
    select
        rules.*,
        warning.is_valid as is_warning_valid,
        warning.threshold_low as warning_low,
        warning.threshold_high as warning_high,
        warning.lower_limit as warning_lower,
        warning.upper_limit as warning_upper,
        critical.is_valid as is_critical_valid,
        critical.threshold_low as critical_low,
        critical.threshold_high as critical_high,
        critical.lower_limit as critical_lower,
        critical.upper_limit as critical_upper,
        selections.n_rows,
        coalesce(named_metrics.n_metrics, 0) as n_metrics
    from rules
    inner join selections
        on rules.rule_key = selections.rule_key
    left join named_metrics
        on rules.rule_key = named_metrics.rule_key
    left join conditions as warning
        on rules.warning_condition = warning.condition
    left join conditions as critical
        on rules.critical_condition = critical.condition
),

checked as (
    select
        joined.*,
        {{ mlmon.alert_rule_problem() | indent(8) }} as rule_problem,
        -- More exact selectors win; between as many, those further left in the seed.
        {{ exactness | join("\n        + ") }} as exactness,
        md5(
            rule_key || '|' || measure || '|' || span_text || '|' || resolve_span_text
            || '|' || warning_condition || '|' || critical_condition
            || '|' || cast(for_windows as {{ dbt.type_string() }})
            || '|' || cast(resolve_windows as {{ dbt.type_string() }})
            || '|' || cast(min_samples as {{ dbt.type_string() }})
        ) as rule_version
    from joined
)

select
    checked.*,
    rule_problem is null as is_valid,
    coalesce(enabled_text = 'true', false) as is_enabled
from checked
