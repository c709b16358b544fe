{# Rows of one sample that tells as much as two of n and m values do. #}
{% macro effective_rows(n, m) %}
    {{- return("(cast(" ~ n ~ " as " ~ mlmon.type_double() ~ ") * " ~ m ~ " / (" ~ n ~ " + " ~ m ~ "))") -}}
{% endmacro %}

{#
    What Kolmogorov's series is taken at for the statistic d of samples of e effective rows, corrected for their
    number (Vrbik 2018). The p-value is within 2e-4 of the exact one of a sample of e rows where e >= 100.
#}
{% macro kolmogorov_argument(d, e) %}
    {%- set raw = "(" ~ d ~ " * sqrt(" ~ e ~ "))" -%}
    {{- return("(" ~ raw ~ " + 1 / (6 * sqrt(" ~ e ~ ")) + (" ~ raw ~ " - 1) / (4 * " ~ e ~ "))") -}}
{% endmacro %}

{# The series itself; below 0.2 it is 1 to twelve digits. #}
{% macro kolmogorov_series(x) %}
    {%- set terms = [] -%}
    {%- for k in range(1, 21) -%}
        {%- do terms.append(
            ("+ " if k % 2 else "- ")
            ~ mlmon.bounded_exp("(" ~ -2 * k * k ~ " * " ~ x ~ " * " ~ x ~ ")")
        ) -%}
    {%- endfor -%}
    {{- return(
        "case when " ~ x ~ " < 0.2 then 1.0 else least(1.0, greatest(0.0, 2 * (0 " ~ terms | join(" ") ~ "))) end"
    ) -}}
{% endmacro %}

{# In doubles whatever n is: some warehouses give 1.0 / n seven decimals. #}
{% macro one_over(n) %}
    {{- return("(cast(1 as " ~ mlmon.type_double() ~ ") / " ~ n ~ ")") -}}
{% endmacro %}

{#
    Two-sided p of the difference of two proportions, pooled, without correction; 1 where the pooled share is 0
    or 1.
#}
{% macro two_proportion_p(x_1, n_1, x_2, n_2) %}
    {%- set double = mlmon.type_double() -%}
    {%- set pooled = "(cast(" ~ x_1 ~ " + " ~ x_2 ~ " as " ~ double ~ ") / (" ~ n_1 ~ " + " ~ n_2 ~ "))" -%}
    {%- set variance = "(" ~ pooled ~ " * (1 - " ~ pooled ~ ") * (" ~ mlmon.one_over(n_1) ~ " + " ~ mlmon.one_over(n_2) ~ "))" -%}
    {{- return(
        "case when " ~ n_1 ~ " = 0 or " ~ n_2 ~ " = 0 then null when " ~ x_1 ~ " + " ~ x_2
        ~ " in (0, " ~ n_1 ~ " + " ~ n_2 ~ ") then 1.0 else "
        ~ mlmon.normal_p(
            "((cast(" ~ x_1 ~ " as " ~ double ~ ") / " ~ n_1 ~ " - cast(" ~ x_2 ~ " as " ~ double ~ ") / "
            ~ n_2 ~ ") / sqrt(" ~ variance ~ "))"
        ) ~ " end"
    ) -}}
{% endmacro %}
