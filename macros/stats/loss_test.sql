{#
    Judges a loss, the baseline's metric less the current one's, from each side's value and the n it rests on.

    loss_variance: the variance of the loss if the two were equal. Of proportions, the pooled one (a baseline without n
    is taken as exact); of f1, no less than what either side's own counts say. Never 0 while there is a loss: where
    the formula has nothing to say, one success and one failure are added (Agresti and Caffo 2000). Of all other metrics,
    both sides' own, the current one no less than the baseline's at as few rows: a few rows that happen to agree
    say little of how rows differ. NULL where the current value has none.
    loss_p: its two-sided p; of counts with Yates' continuity correction: a handful of labels proves nothing.
#}
{% macro loss_variance(metric, is_proportion, value, n, baseline, n_baseline, variance, baseline_variance) %}
    {%- set pooled_share -%}
        (({{ n }} * {{ value }} + {{ n_baseline }} * {{ baseline }}) / ({{ n }} + {{ n_baseline }}))
    {%- endset -%}
    {%- set pooled -%}
        case
            when {{ n_baseline }} is null then {{ baseline }} * (1 - {{ baseline }}) / {{ n }}
            else {{ pooled_share }} * (1 - {{ pooled_share }}) * ({{ mlmon.one_over(n) }} + {{ mlmon.one_over(n_baseline) }})
        end
    {%- endset -%}
    {%- set own -%}
        greatest(
            {{ pooled }},
            coalesce({{ variance }}, 0) + coalesce({{ baseline_variance }}, 0),
            coalesce({{ baseline_variance }} * (1 + 1.0 * {{ n_baseline }} / {{ n }}), 0)
        )
    {%- endset -%}
    {%- set spread -%}
        greatest({{ variance }}, coalesce({{ baseline_variance }} * {{ n_baseline }} / {{ n }}, {{ variance }}))
    {%- endset -%}
    {{- return(
        "case when " ~ metric ~ " = 'f1' or " ~ is_proportion ~ " then coalesce(nullif(case when " ~ metric
        ~ " = 'f1' then " ~ own ~ " else " ~ pooled ~ " end, 0), " ~ mlmon.added_count_variance(value, n)
        ~ ") when " ~ variance ~ " is not null then nullif(" ~ spread ~ " + coalesce("
        ~ baseline_variance ~ ", 0), 0) end"
    ) -}}
{% endmacro %}

{% macro loss_p(metric, loss, is_proportion, variance, n, n_baseline) %}
    {%- set correction -%}
        case
            when {{ metric }} = 'f1' or {{ is_proportion }}
                then 0.5 * ({{ mlmon.one_over(n) }} + coalesce({{ mlmon.one_over(n_baseline) }}, 0))
            else 0
        end
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
    One end of the 95 % interval of one side's metric: Wilson's of a proportion, the given one of
    others, by its variance of f1 where none is given; the value itself where nothing says what it rests on. The ends combine to that of the loss (Newcombe 1998,
    method 10; Zou and Donner 2008).
#}
{% macro side_bound(metric, is_proportion, value, n, variance, bound, sign) %}
    {%- set own -%}
        {{ value }} {{ sign }} 1.959963984540054 * sqrt(greatest(
            coalesce({{ variance }}, 0), {{ mlmon.added_count_variance(value, n) }}
        ))
    {%- endset -%}
    {{- return(
        "case when " ~ n ~ " is null then " ~ value ~ " when " ~ metric ~ " = 'f1' then coalesce(" ~ bound
        ~ ", " ~ own ~ ") when " ~ is_proportion ~ " then " ~ mlmon.wilson_bound(value, n, sign)
        ~ " else coalesce(" ~ bound ~ ", " ~ value ~ ") end"
    ) -}}
{% endmacro %}

{# Small enough for a verdict at the level of 1 %. #}
{% macro is_significant(p_value) %}
    {{- return("coalesce(" ~ p_value ~ " < 0.01 * (1 - 1e-12), false)") -}}
{% endmacro %}

{# What a monitor whose kind of baseline has no value can do about it. #}
{% macro missing_baseline(kind) -%}
    case {{ kind }}
            when 'previous_version' then 'no complete window of an earlier version.'
            when 'previous_span' then 'no value one span before.'
            else 'neither a labelled reference nor a given baseline.'
        end
{%- endmacro %}
