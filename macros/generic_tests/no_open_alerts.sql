{#
    No alert fires. Fails with a row for each that does: the rule, since when, and why. Without a monitor it is about
    all of them.
#}
{% test no_open_alerts(
    model, monitor=none, fails_at='critical', rules=none, include_retired=false
) %}
{%- set where = "mlmon.no_open_alerts" -%}
{%- set problems = [] -%}
{%- if monitor is not none -%}
    {%- do mlmon.check_test_monitor(problems, where, monitor) -%}
{%- endif -%}
{%- do mlmon.check_choice(problems, where ~ ".fails_at", fails_at, ['warning', 'critical']) -%}
{%- do mlmon.check_value(problems, where ~ ".include_retired", include_retired, {'is': 'flag'}) -%}
{%- do mlmon.raise_test_problems(problems) -%}
{%- set wanted = mlmon.as_list(rules) -%}
{%- set text = dbt.type_string() %}

with

firing as (
    select
        monitor,
        model_version,
        since_window_end as window_end,
        rule_id
        || case when column_name = 'all' then '' else ' of ' || column_name end
        || case
            when segment_name = 'all' then ''
            else ' at ' || segment_name || ' ' || segment_value
        end as about,
        severity as status,
        value,
        cast(null as {{ mlmon.type_double() }}) as threshold,
        reason
    from {{ ref('mlmon', 'fct_mlmon__alert_states') }}
    where
        state = 'firing'
        and severity in ('critical'{% if fails_at == 'warning' %}, 'warning'{% endif %})
        {%- if monitor is not none %}
        and monitor = {{ mlmon.text_literal(monitor) }}
        {%- endif %}
        {%- if not include_retired %}
        and is_active
        {%- endif %}
        {%- if wanted %}
        and rule_id in (
            {%- for rule in wanted %}{{ mlmon.text_literal(rule) }}
            {%- if not loop.last %}, {% endif %}{% endfor -%}
        )
        {%- endif %}
),

known_rules as (
    select distinct rule_id from {{ ref('mlmon', 'fct_mlmon__alert_states') }}
)

select * from firing
{%- for rule in wanted %}

union all

select
    cast({{ mlmon.text_literal(monitor or 'all') }} as {{ text }}) as monitor,
    cast(null as {{ text }}) as model_version,
    cast(null as timestamp) as window_end,
    cast({{ mlmon.text_literal(rule) }} as {{ text }}) as about,
    cast('unknown' as {{ text }}) as status,
    cast(null as {{ mlmon.type_double() }}) as value,
    cast(null as {{ mlmon.type_double() }}) as threshold,
    cast('No rule of this name is in fct_mlmon__alert_states.' as {{ text }}) as reason
from (select 1 as one) as always
where not exists (
    select 1 from known_rules
    where rule_id = {{ mlmon.text_literal(rule) }}
)
{%- endfor %}
{%- if monitor is not none %}

union all
{{ mlmon.nothing_to_judge(monitor, 'known_rules', false, 'all rules') }}
{%- endif %}
{% endtest %}
