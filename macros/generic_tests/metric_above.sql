{#
    A performance metric is at least what is asked for, at the newest window whose labels are complete. Fails with the
    value, its interval and its window. `compare`: the value itself, or an end of its interval; value_high fails
    only where chance does not explain it, value_low wants to be sure.
#}
{% test metric_above(
    model, monitor, metric, threshold, label_age=none, model_version=none, span_windows=none,
    class_label='all', compare='value', fail_when_unknown=false
) %}
{{ mlmon.held_metric(
    'mlmon.metric_above', 'below', monitor, metric, threshold, label_age, model_version,
    span_windows, class_label, compare, fail_when_unknown
) }}
{% endtest %}

{# The same for metrics that are better when they are lower, such as mae or log_loss. #}
{% test metric_below(
    model, monitor, metric, threshold, label_age=none, model_version=none, span_windows=none,
    class_label='all', compare='value', fail_when_unknown=false
) %}
{{ mlmon.held_metric(
    'mlmon.metric_below', 'above', monitor, metric, threshold, label_age, model_version,
    span_windows, class_label, compare, fail_when_unknown
) }}
{% endtest %}

{% macro held_metric(
    where, wrong_side, monitor, metric, threshold, label_age, model_version, span_windows, class_label,
    compare, fail_when_unknown
) %}
{%- set problems = [] -%}
{%- do mlmon.check_test_monitor(problems, where, monitor) -%}
{%- do mlmon.check_test_arguments(problems, where, model_version, span_windows, fail_when_unknown) -%}
{%- do mlmon.check_number(problems, where ~ ".threshold", threshold, whole=false) -%}
{%- do mlmon.check_choice(
    problems, where ~ ".compare", compare, ['value', 'value_low', 'value_high']
) -%}
{%- set given = mlmon.monitor_of_test(monitor) -%}
{%- if given is not none -%}
    {%- do mlmon.check_choice(
        problems, where ~ ".metric", metric,
        mlmon.ranking_metrics(mlmon.top_k(given)) | list if given.task == 'ranking'
        else mlmon.metrics_of_task(given.task)
    ) -%}
    {%- if given.get('labels') is none -%}
        {%- do mlmon.add_problem(
            problems, where ~ ".monitor", mlmon.shown(monitor) ~ ", which has no labels",
            "a monitor with labels", "name the label log in the monitor"
        ) -%}
    {%- endif -%}
{%- endif -%}
{%- set age = label_age ~ 'd' if label_age is integer else label_age -%}
{%- if age is not none and not modules.re.fullmatch('[0-9]+d|latest', age | string) -%}
    {%- do mlmon.add_problem(
        problems, where ~ ".label_age", mlmon.shown(label_age), "an age in days such as 7d, or latest",
        "write it so"
    ) -%}
{%- endif -%}
{%- do mlmon.raise_test_problems(problems) -%}
{%- set text = dbt.type_string() %}

with

monitors as (
    select * from {{ ref('mlmon', 'dim_mlmon__monitors') }}
    where monitor = {{ mlmon.text_literal(monitor) }}
),

settings as (
    select
        monitor,
        max(default_span_windows) as default_span_windows,
        max(label_horizon_days) as label_horizon_days
    from monitors
    group by monitor
),

performance as (
    select
        performance.*,
        coalesce(monitors.is_current_version, false) as is_current_version
    from {{ ref('mlmon', 'fct_mlmon__performance') }} as performance
    inner join settings
        on performance.monitor = settings.monitor
    left join monitors
        on performance.monitor_key = monitors.monitor_key
    where
        performance.metric = {{ mlmon.text_literal(metric) }}
        and performance.class_label = {{ mlmon.text_literal(class_label) }}
        and performance.segment_name = 'all'
        and performance.{{ compare }} is not null
        and performance.span_windows = {{ span_windows or 'settings.default_span_windows' }}
        {%- if age is none %}
        and performance.label_age_days = settings.label_horizon_days
        {%- else %}
        and performance.label_age = {{ mlmon.text_literal(age) }}
        {%- endif %}
        {%- if age != 'latest' %}
        and performance.is_complete
        {%- endif %}
),

newest as (
    select
        monitor_key,
        max(window_end) as window_end
    from performance
    group by monitor_key
),

judged as (
    select
        performance.monitor,
        performance.model_version,
        performance.window_end,
        performance.metric as about,
        cast('{{ wrong_side }}' as {{ text }}) as status,
        performance.{{ compare }} as value,
        cast({{ threshold }} as {{ mlmon.type_double() }}) as threshold,
        performance.metric || ' of labels at ' || performance.label_age || ' is '
        || {{ mlmon.short_number('performance.value') | trim }} || ' ('
        || {{ mlmon.short_number('performance.value_low') | trim }} || ' to '
        || {{ mlmon.short_number('performance.value_high') | trim }}
        || {{ mlmon.text_literal("), its " ~ compare ~ " " ~ wrong_side ~ " " ~ threshold ~ ".") }}
            as reason
    from performance
    inner join newest
        on
            performance.monitor_key = newest.monitor_key
            and performance.window_end = newest.window_end
    where performance.{{ mlmon.is_tested_version(model_version) }}
)

select * from judged
where value {{ '<' if wrong_side == 'below' else '>' }} threshold

union all
{{ mlmon.nothing_to_judge(monitor, 'judged', fail_when_unknown, metric) }}
{% endmacro %}
