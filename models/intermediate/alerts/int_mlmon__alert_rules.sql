-- One row per row of the alert rules, trimmed, typed and checked: the numbers behind its
-- conditions, how exactly it selects and, where it cannot be used, the problem in words.
-- A row with a problem never judges anything.
{{ config(materialized='table') }}
{%- set numbers = {
    'for_windows': 1,
    'resolve_windows': 1,
    'min_samples': 0,
    'cooldown_minutes': 0,
    'repeat_minutes': 0,
    'no_data_minutes': 0,
    'max_age_minutes': 0,
} %}
{%- set texts = [
    'rule_id', 'name', 'measure', 'span_windows', 'resolve_span_windows',
    'warning_condition', 'critical_condition', 'inhibited_by', 'channels', 'runbook',
    'owner', 'enabled',
] + mlmon.alert_rule_selectors() | list %}
{%- set exactness = [] %}
{%- for column in mlmon.alert_rule_selectors() %}
    {%- set weight = 1000 + 2 ** (8 - loop.index0) %}
    {%- do exactness.append(
        "case when " ~ column ~ " like '%*' then 0 else " ~ weight ~ " end"
    ) %}
{%- endfor %}

with

-- '' stands for a text that was left out, NULL for a number that is none.
seed as (
    select * from {{ mlmon.seed_relation('alert_rules') }}
),

texts as (
    select
        {%- for column in texts + numbers | list %}
        trim(coalesce(cast({{ column }} as {{ dbt.type_string() }}), ''))
            as {{ column }}
        {{- ',' if not loop.last }}
        {%- endfor %}
    from seed
),

typed as (
    select
        rule_id,
        name,
        {%- for column, left_out in mlmon.alert_rule_selectors().items() %}
        case when {{ column }} = '' then '{{ left_out }}' else {{ column }} end
            as {{ column }},
        {%- endfor %}
        case when measure = '' then 'value' else measure end as measure,
        case when span_windows = '' then 'default' else span_windows end as span_text,
        {{ mlmon.whole_number('span_windows') }} as span_number,
        case
            when resolve_span_windows = '' then 'same' else resolve_span_windows
        end as resolve_span_text,
        {{ mlmon.whole_number('resolve_span_windows') }} as resolve_span_number,
        warning_condition,
        critical_condition,
        {%- for column, left_out in numbers.items() %}
        case
            when {{ column }} = '' then {{ left_out }}
            else {{ mlmon.whole_number(column) }}
        end as {{ column }},
        {%- endfor %}
        inhibited_by,
        channels,
        runbook,
        owner,
        lower(enabled) as enabled_text
    from texts
),

rules as (
    select
        typed.*,
        md5(
            rule_id
            {%- for column in mlmon.alert_rule_selectors() %}
            || '|' || replace({{ column }}, '|', '||')
            {%- endfor %}
        ) as rule_key
    from typed
),

-- The one place where what a person wrote becomes an operator and numbers. The text
-- itself is never rendered into SQL.
written as (
    select warning_condition as condition from rules

    union distinct

    select critical_condition as condition from rules
),

lowered as (
    select
        condition,
        lower(condition) as words
    from written
    where condition <> ''
),

operators as (
    select
        condition,
        words,
        case
            when words like 'outside %' then 'outside'
            when words like '>=%' then '>='
            when words like '<=%' then '<='
            when words like '!=%' then '!='
            when words like '>%' then '>'
            when words like '<%' then '<'
            else ''
        end as operator
    from lowered
),

operands as (
    select
        condition,
        operator,
        trim(substr(words, length(operator) + 1)) as operand
    from operators
),

-- `outside` has two numbers, the others one; what is left over stays in the text and
-- fails below.
number_texts as (
    select
        condition,
        operator,
        case
            when operator = 'outside'
                then {{ dbt.split_part('operand', "' '", 1) }}
            else operand
        end as first_text,
        case
            when operator = 'outside'
                then trim(substr(
                    operand,
                    length({{ dbt.split_part('operand', "' '", 1) }}) + 1
                ))
            else operand
        end as second_text
    from operands
),

parsed as (
    select
        condition,
        operator,
        {{ mlmon.plain_number('first_text') | indent(8) }} as first_number,
        {{ mlmon.plain_number('second_text') | indent(8) }} as second_number
    from number_texts
),

thresholds as (
    select
        condition,
        operator,
        coalesce(
            operator <> '' and first_number <= second_number, false
        ) as is_valid,
        case
            when operator in ('<', '<=', '!=', 'outside') then first_number
        end as threshold_low,
        case
            when operator in ('>', '>=', '!=', 'outside') then second_number
        end as threshold_high
    from parsed
),

-- A verdict never depends on the last bit: a value within 1e-12 (relative) of a threshold
-- is equal to it. Moving the limit by that much also makes every comparison a strict
-- one.
conditions as (
    select
        condition,
        operator,
        is_valid,
        case when is_valid then threshold_low end as threshold_low,
        case when is_valid then threshold_high end as threshold_high,
        case
            when is_valid and operator = '<='
                then threshold_low + {{ mlmon.comparison_slack('threshold_low') }}
            when is_valid
                then threshold_low - {{ mlmon.comparison_slack('threshold_low') }}
        end as lower_limit,
        case
            when is_valid and operator = '>='
                then threshold_high - {{ mlmon.comparison_slack('threshold_high') }}
            when is_valid
                then threshold_high + {{ mlmon.comparison_slack('threshold_high') }}
        end as upper_limit
    from thresholds
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
),

flagged as (
    select
        checked.*,
        rule_problem is null as is_valid,
        coalesce(enabled_text = 'true', false) as is_enabled
    from checked
)

select * from flagged
