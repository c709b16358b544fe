{#
    Per row of `rows` and column of class scores: the score as x, what the row holds instead of a number, and the
    declared range. The sum of a row's scores is a column, too: class_scores.

    key: the column that groups rows (a window or a reference's window)
    keyed: a relation of (key, monitor)
    where: which rows of `rows`, as logged, with their monitor's settings, as classes
#}
{% macro class_score_cells(rows, key, keyed, where='true') %}
    select
        logged.{{ key }},
        {{ 'logged.request_id,' if key == 'window_number' }}
        classes.slot,
        classes.class_number,
        classes.declared_min,
        classes.declared_max,
        case
            when classes.class_number > 0 then {{ mlmon.score_of_class('logged', 'classes.class_number') }}
            else {{ mlmon.sum_of_class_scores('logged', 'classes.n_classes') }}
        end as x,
        case
            when classes.class_number > 0 and logged.unusable_values is not null
                then {{ mlmon.unusable_value('logged.unusable_values', 'classes.slot') }}
        end as instead
    from {{ rows }} as logged
    inner join {{ keyed }} as keyed
        on logged.{{ key }} = keyed.{{ key }}
    inner join ({{ mlmon.class_score_column_settings() }}) as classes
        on keyed.monitor = classes.monitor
    where {{ where }}
{%- endmacro %}

{% macro is_outside_declared(cells) %}
    {{- return("(" ~ cells ~ ".x < " ~ cells ~ ".declared_min or " ~ cells ~ ".x > " ~ cells ~ ".declared_max)") -}}
{% endmacro %}

{#
    Counts rows per key and column of class scores, as count_columns() counts those of features. A row has a sum where it
    has all scores; others are the business of the scores that are missing.
#}
{% macro count_class_scores(rows, key, keyed) %}
    {%- set is_score = "cells.class_number > 0" %}
    select
        cells.{{ key }},
        cells.slot,
        case when {{ is_score }} then count(*) else count(cells.x) end as n,
        case when {{ is_score }} then count(*) - count(cells.x) end as n_missing,
        case when {{ is_score }} then {{ mlmon.count_where("cells.x is not null and not (cells.x - cells.x = 0)") }} end
            as n_infinite,
        case when {{ is_score }} then {{ mlmon.count_where(mlmon.is_outside_declared('cells')) }} end as n_out_of_range,
        case when {{ is_score }} then {{ mlmon.count_where("cells.instead = 'NaN'") }} end as n_nan,
        case when {{ is_score }} then {{ mlmon.count_where("cells.instead <> 'NaN'") }} end as n_unparsable,
        case when not ({{ is_score }}) then {{ mlmon.count_where(mlmon.is_outside_declared('cells')) }} end as n_wrong_sums
    from (
        {{ mlmon.class_score_cells(rows, key, keyed) }}
    ) as cells
    group by cells.{{ key }}, cells.slot, cells.class_number
{% endmacro %}

{% macro count_where(condition) %}{{- return("count(case when " ~ condition ~ " then 1 end)") -}}{% endmacro %}

{# What class_score_counts hold beside n. #}
{% macro class_score_count_names() %}
    {{- return([
        'n_missing', 'n_infinite', 'n_out_of_range', 'n_nan', 'n_unparsable', 'n_wrong_sums',
    ]) -}}
{% endmacro %}

{#
    As number_examples(), of the columns of class scores. Most rows pass every check: they are left before their scores are
    looked at one by one.
#}
{% macro class_score_examples(rows, keyed) %}
    {%- if not mlmon.is_asked_for('class_scores') -%}{{- return(mlmon.no_examples()) -}}{%- endif -%}
    {%- set tolerance = mlmon.score_sum_tolerance() %}
    {%- set sum = mlmon.sum_of_class_scores('logged', 'classes.n_classes') %}
    select
        cells.window_number,
        cells.slot,
        checks.check_name,
        case
            when cells.instead is not null then cells.instead
            else {{ mlmon.example_number('cells.x') }}
        end as example_value,
        count(*) as n,
        min({{ mlmon.byte_order('cells.request_id') }}) as example_request_id
    from (
        {{ mlmon.class_score_cells(
            rows, 'window_number', keyed,
            "logged.unusable_values is not null or not " ~ mlmon.are_probabilities('logged', 'classes.n_classes')
            ~ " or not (" ~ sum ~ " >= " ~ (1 - tolerance) ~ " and " ~ sum ~ " <= " ~ (1 + tolerance) ~ ")"
        ) }}
        {{ mlmon.evaluated_once() }}
    ) as cells
    cross join (
        {%- for check in ['score_range', 'score_sum', 'not_finite', 'unparsable'] %}
        {{ 'union all ' if not loop.first }}select cast('{{ check }}' as {{ dbt.type_string() }}) as check_name
        {%- endfor %}
    ) as checks
    where
        case checks.check_name
            when 'score_range' then cells.class_number > 0 and {{ mlmon.is_outside_declared('cells') }}
            when 'score_sum' then cells.class_number = 0 and {{ mlmon.is_outside_declared('cells') }}
            when 'not_finite' then cells.class_number > 0 and (cells.instead = 'NaN' or not (cells.x - cells.x = 0))
            else cells.instead <> 'NaN'
        end
    group by 1, 2, 3, 4
{% endmacro %}
