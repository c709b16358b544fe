{#
    No column of a monitor has drifted at the newest closed window. Fails with a row for each that has, and why.
#}
{% test not_drifted(
    model, monitor, columns=none, model_version=none, span_windows=none, fails_at='critical',
    fail_when_unknown=false
) %}
{%- set where = "mlmon.not_drifted" -%}
{%- set problems = [] -%}
{%- do mlmon.check_test_monitor(problems, where, monitor) -%}
{%- do mlmon.check_test_arguments(problems, where, model_version, span_windows, fail_when_unknown) -%}
{%- do mlmon.check_choice(problems, where ~ ".fails_at", fails_at, ['warning', 'critical']) -%}
{%- set wanted = mlmon.as_list(columns) -%}
{%- set given = mlmon.monitor_of_test(monitor) -%}
{%- if given is not none -%}
    {%- set known = (given.get('features') or {}).keys() | map('string') | list
        + ['score', 'prediction', 'label'] -%}
    {%- for column in wanted -%}
        {%- do mlmon.check_choice(problems, where ~ ".columns", column, known) -%}
    {%- endfor -%}
{%- endif -%}
{%- do mlmon.raise_test_problems(problems) %}

with

judged as (
    select
        monitor,
        model_version,
        window_end,
        column_name as about,
        status,
        -- Of a method without a column here, the reason has the value.
        case deciding_method
            when 'psi' then psi
            when 'js_distance' then js_distance
            when 'ks' then ks
            when 'wasserstein_normed' then wasserstein_normed
            when 'missing_change' then missing_change
        end as value,
        threshold_{{ fails_at }} as threshold,
        reason
    from {{ ref('mlmon', 'fct_mlmon__column_drift_latest') }}
    where
        monitor = {{ mlmon.text_literal(monitor) }}
        and segment_name = 'all'
        and {{ mlmon.is_tested_version(model_version) }}
        and {% if span_windows is none %}is_verdict
        {%- else %}span_windows = {{ span_windows }}{% endif %}
        {%- if wanted %}
        and column_name in (
            {%- for column in wanted %}{{ mlmon.text_literal(column) }}
            {%- if not loop.last %}, {% endif %}{% endfor -%}
        )
        {%- endif %}
)

select * from judged
where status in (
    'critical'
    {%- if fails_at == 'warning' %}, 'warning'{% endif %}
    {%- if fail_when_unknown %}, 'insufficient_data', 'no_reference'{% endif %}
)

union all
{{ mlmon.nothing_to_judge(monitor, 'judged', fail_when_unknown, 'all columns') }}
{% endtest %}
