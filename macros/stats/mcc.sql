{#
    Matthews' correlation coefficient, with the interval of the delta method. Where a cell has fewer than twenty rows it is that
    of the counts with a half added to each (Haldane 1956; Anscombe 1956), which holds the value in any case.
#}
{% macro mcc_metric(relation, columns) %}
    {%- set half = ['(tp + 0.5)', '(fp + 0.5)', '(fn + 0.5)', '(tn + 0.5)'] %}
    select
        {{ columns | join(', ') }},
        cast('mcc' as {{ dbt.type_string() }}) as metric,
        cast('all' as {{ dbt.type_string() }}) as class_label,
        value,
        variance,
        cast(tp + fp + fn + tn as bigint) as n,
        cast(n_excluded as bigint) as n_excluded,
        case
            when value is not null
                then greatest(-1, least(value, centre - 1.959963984540054 * sqrt(variance)))
        end as value_low,
        case
            when value is not null
                then least(1, greatest(value, centre + 1.959963984540054 * sqrt(variance)))
        end as value_high,
        cast(case when is_few then 'haldane_anscombe' else 'delta' end as {{ dbt.type_string() }})
            as interval_method
    from (
        select
            correlated.*,
            case when is_few then half_value else value end as centre,
            case
                when value is null then null
                when is_few then greatest(0, {{ mlmon.mcc_variance('half_value', *half) }})
                else greatest(0, {{ mlmon.mcc_variance('value', 'tp', 'fp', 'fn', 'tn') }})
            end as variance
        from (
            select
                counts.*,
                least(tp, fp, fn, tn) < 20 as is_few,
                {{ mlmon.mcc_value('tp', 'fp', 'fn', 'tn') }} as value,
                {{ mlmon.mcc_value(*half) }} as half_value
            from {{ relation }} as counts
        ) as correlated
    ) as varied
{%- endmacro %}

{# The root of the product of the four margins; NULL where one is 0. #}
{% macro margins_root(tp, fp, fn, tn) %}
    {%- set double = mlmon.type_double() -%}
    {{- return(
        "nullif(sqrt(cast(" ~ tp ~ " + " ~ fp ~ " as " ~ double ~ ") * (" ~ tp ~ " + " ~ fn ~ ")) * sqrt(cast(" ~ tn
        ~ " + " ~ fp ~ " as " ~ double ~ ") * (" ~ tn ~ " + " ~ fn ~ ")), 0)"
    ) -}}
{% endmacro %}

{% macro mcc_value(tp, fp, fn, tn) %}
    {%- set double = mlmon.type_double() -%}
    {{- return(
        "(cast(" ~ tp ~ " as " ~ double ~ ") * " ~ tn ~ " - cast(" ~ fp ~ " as " ~ double ~ ") * " ~ fn ~ ") / "
        ~ mlmon.margins_root(tp, fp, fn, tn)
    ) -}}
{% endmacro %}

{# How mcc moves with each count. #}
{% macro mcc_gradients(value, tp, fp, fn, tn) %}
    {%- set root = mlmon.margins_root(tp, fp, fn, tn) -%}
    {%- set found = {} -%}
    {%- for cell, opposite, sign, first, second in [
        ('tp', tn, '', (tp, fp), (tp, fn)), ('fp', fn, '-', (tp, fp), (tn, fp)),
        ('fn', fp, '-', (tp, fn), (tn, fn)), ('tn', tp, '', (tn, fp), (tn, fn)),
    ] -%}
        {%- do found.update({cell: "(" ~ sign ~ opposite ~ " / " ~ root ~ " - " ~ value ~ " / 2 * ("
            ~ mlmon.one_over("nullif(" ~ first | join(" + ") ~ ", 0)") ~ " + "
            ~ mlmon.one_over("nullif(" ~ second | join(" + ") ~ ", 0)") ~ "))"}) -%}
    {%- endfor -%}
    {{- return(found) -}}
{% endmacro %}

{# By the delta method. #}
{% macro mcc_variance(value, tp, fp, fn, tn) %}
    {%- set counts = {'tp': tp, 'fp': fp, 'fn': fn, 'tn': tn} -%}
    {%- set squares = [] -%}
    {%- set sums = [] -%}
    {%- for cell, gradient in mlmon.mcc_gradients(value, tp, fp, fn, tn).items() -%}
        {%- do squares.append(counts[cell] ~ " * " ~ gradient ~ " * " ~ gradient) -%}
        {%- do sums.append(counts[cell] ~ " * " ~ gradient) -%}
    {%- endfor -%}
    {%- set total = "(" ~ sums | join(" + ") ~ ")" -%}
    {{- return(
        squares | join(" + ") ~ " - " ~ total ~ " * " ~ total ~ " / ("
        ~ [tp, fp, fn, tn] | join(" + ") ~ ")"
    ) -}}
{% endmacro %}
