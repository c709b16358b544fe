{#
    The newest label was loaded at most `max_age_days` before the newest row of either log: labels keep coming while
    predictions do. `as_of` compares with a time instead, or with the warehouse's clock ('now'), which also sees
    that both have stopped. Fails with the two times.
#}
{% test fresh_labels(model, monitor, max_age_days, as_of=none) %}
{%- set where = "mlmon.fresh_labels" -%}
{%- set problems = [] -%}
{%- do mlmon.check_test_monitor(problems, where, monitor) -%}
{%- do mlmon.check_number(problems, where ~ ".max_age_days", max_age_days, least=0, whole=false) -%}
{%- if as_of is not none and as_of != 'now' -%}
    {%- do mlmon.check_time(problems, where ~ ".as_of", as_of) -%}
{%- endif -%}
{%- set given = mlmon.monitor_of_test(monitor) -%}
{%- if given is not none and given.get('labels') is none -%}
    {%- do mlmon.add_problem(
        problems, where ~ ".monitor", mlmon.shown(monitor) ~ ", which has no labels",
        "a monitor with labels", "name the label log in the monitor"
    ) -%}
{%- endif -%}
{%- do mlmon.raise_test_problems(problems) -%}
{%- set text = dbt.type_string() -%}
{%- set time = 'data_through_at' if as_of is none else mlmon.utc_now() if as_of == 'now'
    else mlmon.timestamp_literal((as_of | string).replace('T', ' ')) -%}
{%- set day = '86400000000.0' %}

with

monitors as (
    select
        monitor,
        min(first_predicted_at) as first_predicted_at,
        max(data_through_at) as data_through_at
    from {{ ref('mlmon', 'dim_mlmon__monitors') }}
    where monitor = {{ mlmon.text_literal(monitor) }}
    group by monitor
),

newest_labels as (
    select
        monitor,
        max(last_label_loaded_at) as last_label_loaded_at
    from {{ ref('mlmon', 'fct_mlmon__windows') }}
    where model_version <> 'all'
    group by monitor
),

ages as (
    select
        monitors.monitor,
        newest_labels.last_label_loaded_at,
        cast({{ time }} as timestamp) as compared_with_at,
        -- Where no label has come, they are late since the first prediction.
        cast(
            {{ mlmon.microseconds('cast(' ~ time ~ ' as timestamp)') }}
            - {{ mlmon.microseconds('coalesce(newest_labels.last_label_loaded_at, monitors.first_predicted_at)') }}
            as {{ mlmon.type_double() }}
        ) / {{ day }} as age_days
    from monitors
    left join newest_labels
        on monitors.monitor = newest_labels.monitor
),

late as (
    select
        monitor,
        cast(null as {{ text }}) as model_version,
        compared_with_at as window_end,
        cast('labels' as {{ text }}) as about,
        cast('late' as {{ text }}) as status,
        age_days as value,
        cast({{ max_age_days }} as {{ mlmon.type_double() }}) as threshold,
        case
            when last_label_loaded_at is null then 'No label has come in '
            else 'The newest label was loaded at ' || cast(last_label_loaded_at as {{ text }}) || ', '
        end
        || {{ mlmon.short_number('age_days') | trim }}
        || case
            when last_label_loaded_at is null then ' days of predictions, up to '
            else ' days before '
        end
        || cast(compared_with_at as {{ text }})
        || {{ mlmon.text_literal("; allowed are " ~ max_age_days ~ ".") }} as reason
    from ages
    where age_days > {{ max_age_days }}
)

select * from late

union all
{{ mlmon.nothing_to_judge(monitor, 'ages', false, 'labels') }}
{% endtest %}
