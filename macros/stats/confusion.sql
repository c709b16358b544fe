{# The four cells of a binary confusion matrix, from counts per label_class and predicted_class. #}
{% macro confusion_sums(counts) %}
    {%- for cell, classes in {
        'tp': ('1', '1'), 'fp': ('0', '1'), 'fn': ('1', '0'), 'tn': ('0', '0'),
    }.items() %}
    {%- if not loop.first %}
        {% endif -%}
    sum(
            case
                when
                    {{ counts }}.label_class = '{{ classes[0] }}'
                    and {{ counts }}.predicted_class = '{{ classes[1] }}'
                    then {{ counts }}.n
                else 0
            end
        ) as {{ cell }}{{ ',' if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{#
    The binary metrics of one relation of confusion counts, below each other: the given columns, metric, value,
    n (its denominator), variance, value_low, value_high, interval_method. Proportions have Wilson's 95 %
    interval; f1 the delta method over the multinomial counts, cut to [0, 1]. Undefined (0/0) is NULL.
#}
{% macro binary_metrics(relation, columns) %}
    {%- for metric, parts in {
        'accuracy': ('tp + tn', 'tp + fp + fn + tn'),
        'precision': ('tp', 'tp + fp'),
        'recall': ('tp', 'tp + fn'),
    }.items() %}
    select
        {{ columns | join(', ') }},
        cast('{{ metric }}' as {{ dbt.type_string() }}) as metric,
        cast({{ parts[1] }} as bigint) as n,
        share as value,
        share * (1 - share) / nullif({{ parts[1] }}, 0) as variance,
        {{ mlmon.wilson_bound('share', parts[1], '-') }} as value_low,
        {{ mlmon.wilson_bound('share', parts[1], '+') }} as value_high,
        cast('wilson' as {{ dbt.type_string() }}) as interval_method
    from (
        select
            counts.*,
            cast({{ parts[0] }} as {{ mlmon.type_double() }}) / nullif({{ parts[1] }}, 0) as share
        from {{ relation }} as counts
    ) as shares

    union all
    {% endfor %}
    select
        {{ columns | join(', ') }},
        cast('f1' as {{ dbt.type_string() }}) as metric,
        cast(tp + fp + fn + tn as bigint) as n,
        f1 as value,
        variance,
        case when variance > 0 then greatest(0, f1 - 1.959963984540054 * sqrt(variance)) end
            as value_low,
        case when variance > 0 then least(1, f1 + 1.959963984540054 * sqrt(variance)) end
            as value_high,
        cast('delta' as {{ dbt.type_string() }}) as interval_method
    from (
        select
            counts.*,
            cast(2 * tp as {{ mlmon.type_double() }}) / nullif(2 * tp + fp + fn, 0) as f1,
            4 * cast(tp as {{ mlmon.type_double() }}) * (fp + fn) * (tp + fp + fn)
            / nullif(
                cast(2 * tp + fp + fn as {{ mlmon.type_double() }}) * (2 * tp + fp + fn)
                * (2 * tp + fp + fn) * (2 * tp + fp + fn),
                0
            ) as variance
        from {{ relation }} as counts
    ) as f1_scores
{% endmacro %}

{# One end of Wilson's 95 % score interval of a proportion (Wilson 1927). #}
{% macro wilson_bound(share, n, sign) %}
    {%- set z2 = '3.8414588206941285' -%}
    {%- set n = "cast(" ~ n ~ " as " ~ mlmon.type_double() ~ ")" -%}
    {%- set raw = "(" ~ share ~ " + " ~ z2 ~ " / (2 * " ~ n ~ ") " ~ sign ~ " 1.959963984540054 * sqrt("
        ~ share ~ " * (1 - " ~ share ~ ") / " ~ n ~ " + " ~ z2 ~ " / (4 * " ~ n ~ " * " ~ n
        ~ "))) / (1 + " ~ z2 ~ " / " ~ n ~ ")" -%}
    {{- return(
        "case when " ~ share ~ " is not null then "
        ~ ("greatest(0, " if sign == '-' else "least(1, ") ~ raw ~ ") end"
    ) -}}
{% endmacro %}

{# Two-sided p of a standard normal deviate. #}
{% macro normal_p(z) %}
    {{- return(mlmon.erfc("(abs(" ~ z ~ ") / sqrt(2.0))")) -}}
{% endmacro %}
