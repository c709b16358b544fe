-- One row per row of the alert rules as written: blanks trimmed, every column typed, ''
-- for a text that was left out and NULL for a number that is none. What a left-out
-- column means is decided here, once.
{{ config(materialized='view') }}
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

with

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

keyed as (
    select
        typed.*,
        md5(
            rule_id
            {%- for column in mlmon.alert_rule_selectors() %}
            || '|' || replace({{ column }}, '|', '||')
            {%- endfor %}
        ) as rule_key
    from typed
)

select * from keyed
