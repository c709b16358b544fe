{#
    The difference of two independent estimates. Its 95 % interval joins those of both (Newcombe 1998, method 10, where
    they are Wilson's; Zou and Donner 2008 for all others). `sign` says which end.
#}
{% macro difference_bound(value, low, high, other, other_low, other_high, sign) %}
    {%- set near = "(" ~ value ~ " - " ~ low ~ ")" if sign == '-' else "(" ~ high ~ " - " ~ value ~ ")" -%}
    {%- set far = "(" ~ other_high ~ " - " ~ other ~ ")" if sign == '-' else "(" ~ other ~ " - " ~ other_low ~ ")" -%}
    {{- return(
        "(" ~ value ~ " - " ~ other ~ " " ~ sign ~ " sqrt(" ~ mlmon.square(near) ~ " + "
        ~ mlmon.square(far) ~ "))"
    ) -}}
{% endmacro %}

{# A square that is 0 where Postgres would raise an underflow. #}
{% macro square(x) %}
    {{- return("(case when abs(" ~ x ~ ") < 1e-150 then 0 else " ~ x ~ " * " ~ x ~ " end)") -}}
{% endmacro %}

{#
    Two-sided p of the difference of two proportions, from their values and n: pooled, with Yates' continuity correction
    (scipy's chi2_contingency), so that a handful of rows proves nothing. 1 where the pooled share is 0 or 1.
#}
{% macro corrected_proportion_p(value, n, other, n_other) %}
    {%- set pooled = "((" ~ n ~ " * " ~ value ~ " + " ~ n_other ~ " * " ~ other ~ ") / (" ~ n ~ " + " ~ n_other ~ "))" -%}
    {%- set spread = "(" ~ mlmon.one_over(n) ~ " + " ~ mlmon.one_over(n_other) ~ ")" -%}
    {%- set z = "(greatest(abs(" ~ value ~ " - " ~ other ~ ") - 0.5 * " ~ spread ~ ", 0) / sqrt(" ~ pooled
        ~ " * (1 - " ~ pooled ~ ") * " ~ spread ~ "))" -%}
    {{- return(
        "case when " ~ pooled ~ " * (1 - " ~ pooled ~ ") <= 0 or " ~ value ~ " = " ~ other
        ~ " then 1.0 else " ~ mlmon.normal_p(z) ~ " end"
    ) -}}
{% endmacro %}

{# Whole counts again, from a share and what it is a share of. #}
{% macro count_of(share, n) %}
    {{- return("cast(floor(coalesce(" ~ share ~ ", 0) * coalesce(" ~ n ~ ", 0) + 0.5) as bigint)") -}}
{% endmacro %}

{#
    McNemar's two-sided p with continuity correction, from the numbers of pairs on which only the one, and only the other,
    succeeded. 1 where they never disagree.
#}
{% macro mcnemar_p(only_first, only_second) %}
    {%- set z = "(greatest(abs(" ~ only_first ~ " - " ~ only_second ~ ") - 1, 0) / sqrt(" ~ only_first ~ " + "
        ~ only_second ~ "))" -%}
    {{- return(
        "case when " ~ only_first ~ " + " ~ only_second ~ " = 0 then 1.0 else " ~ mlmon.normal_p(z) ~ " end"
    ) -}}
{% endmacro %}
