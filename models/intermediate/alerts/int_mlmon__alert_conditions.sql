-- One row per distinct condition text of the alert rules: the one place where what a
-- person wrote becomes an operator and numbers. The text itself is never rendered into
-- SQL.
{{ config(materialized='view') }}

with

rules as (
    select * from {{ ref('int_mlmon__alert_rule_rows') }}
),

written as (
    select warning_condition as condition from rules

    union distinct

    select critical_condition as condition from rules
),

conditions as (
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
    from conditions
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
numbers as (
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
    from numbers
),

checked as (
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

-- A verdict never hangs on the last bit: a value within 1e-12 (relative) of a threshold
-- is equal to it. Moving the limit by that much also makes every comparison a strict
-- one.
limits as (
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
    from checked
)

select * from limits
