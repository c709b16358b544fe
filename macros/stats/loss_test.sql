{#
    Judges a loss, the baseline's metric less the current one's, from each side's value and the n it rests on.

    loss_variance: the variance of the loss if the two were equal. Of proportions, the pooled one (a baseline without n
    is taken as exact); of f1, no less than what either side's own counts say. Never 0 while there is a loss: where
    the formula has nothing to say, one success and one failure are added (Agresti and Caffo 2000).
    loss_p: its two-sided p, with Yates' continuity correction: a handful of labels proves nothing.
#}
{% macro loss_variance(metric, value, n, baseline, n_baseline, variance, baseline_variance) %}
    {%- set pooled -%}
        case
            when {{ n_baseline }} is null then {{ baseline }} * (1 - {{ baseline }}) / {{ n }}
            else
                ({{ n }} * {{ value }} + {{ n_baseline }} * {{ baseline }})
                / ({{ n }} + {{ n_baseline }})
                * (
                    1 - ({{ n }} * {{ value }} + {{ n_baseline }} * {{ baseline }})
                    / ({{ n }} + {{ n_baseline }})
                )
                * (1.0 / {{ n }} + 1.0 / {{ n_baseline }})
        end
    {%- endset -%}
    {%- set own -%}
        greatest(
            {{ pooled }},
            coalesce({{ variance }}, 0) + coalesce({{ baseline_variance }}, 0),
            coalesce({{ baseline_variance }} * (1 + 1.0 * {{ n_baseline }} / {{ n }}), 0)
        )
    {%- endset -%}
    {{- return(
        "coalesce(nullif(case when " ~ metric ~ " = 'f1' then " ~ own ~ " else " ~ pooled
        ~ " end, 0), " ~ mlmon.added_count_variance(value, n) ~ ")"
    ) -}}
{% endmacro %}

{% macro loss_p(loss, variance, n, n_baseline) %}
    {%- set correction -%}
        0.5 * (1.0 / {{ n }} + coalesce(1.0 / {{ n_baseline }}, 0))
    {%- endset -%}
    {{- return(mlmon.normal_p(
        "(greatest(abs(" ~ loss ~ ") - " ~ correction ~ ", 0) / sqrt(" ~ variance ~ "))"
    )) -}}
{% endmacro %}

{# The variance of a proportion with one success and one failure added; never 0. #}
{% macro added_count_variance(value, n) %}
    {%- set share = "((" ~ value ~ " * " ~ n ~ " + 1.0) / (" ~ n ~ " + 2.0))" -%}
    {{- return("(" ~ share ~ " * (1.0 - " ~ share ~ ") / (" ~ n ~ " + 2.0))") -}}
{% endmacro %}

{#
    One end of the 95 % interval of one side's metric: Wilson's of a proportion, by its variance of f1; the value itself
    where nothing says what it rests on. The ends combine to that of the loss (Newcombe 1998, method 10).
#}
{% macro side_bound(metric, value, n, variance, sign) %}
    {%- set own -%}
        {{ value }} {{ sign }} 1.959963984540054 * sqrt(greatest(
            coalesce({{ variance }}, 0), {{ mlmon.added_count_variance(value, n) }}
        ))
    {%- endset -%}
    {{- return(
        "case when " ~ n ~ " is null then " ~ value ~ " when " ~ metric ~ " = 'f1' then " ~ own
        ~ " else " ~ mlmon.wilson_bound(value, n, sign) ~ " end"
    ) -}}
{% endmacro %}
