{#
    95 % intervals, beside those of single metrics. A normal interval is too narrow where few rows carry a metric: few of
    the rarer class, a few rows that are most of a mean. There it gives way to one that holds with few
    (docs/decisions/24-few-rows.md; how often each holds: docs/interval_coverage.md).
#}

{# One end of Wilson's 95 % score interval of a proportion (Wilson 1927); exactly 0 of none and 1 of all. #}
{% macro wilson_bound(share, n, sign) %}
    {%- set z2 = '3.8414588206941285' -%}
    {%- set n = "cast(" ~ n ~ " as " ~ mlmon.type_double() ~ ")" -%}
    {%- set raw = "(" ~ share ~ " + " ~ z2 ~ " / (2 * " ~ n ~ ") " ~ sign ~ " 1.959963984540054 * sqrt("
        ~ share ~ " * (1 - " ~ share ~ ") / " ~ n ~ " + " ~ z2 ~ " / (4 * " ~ n ~ " * " ~ n
        ~ "))) / (1 + " ~ z2 ~ " / " ~ n ~ ")" -%}
    {{- return(
        "case when " ~ share ~ " = " ~ ('0 then 0.0' if sign == '-' else '1 then 1.0') ~ " when " ~ share
        ~ " is not null then " ~ ("greatest(0, " if sign == '-' else "least(1, ") ~ raw ~ ") end"
    ) -}}
{% endmacro %}

{#
    Student's t at 0.975 for degrees of freedom from 1 on, whole or not: the normal quantile times exp of a polynomial in
    1 / df, fitted to scipy's and within 2e-5 of it.
#}
{% macro t_quantile(df) %}
    {%- set x = "(1.0 / " ~ df ~ ")" -%}
    {%- set polynomial = namespace(sql="0.10040530869") -%}
    {%- for coefficient in ['-0.31565162', '0.16593800', '0.70839630', '1.21008901'] -%}
        {%- set polynomial.sql = "(" ~ coefficient ~ " + " ~ x ~ " * " ~ polynomial.sql ~ ")" -%}
    {%- endfor -%}
    {{- return("(1.959963984540054 * exp(" ~ x ~ " * " ~ polynomial.sql ~ "))") -}}
{% endmacro %}

{# Of how many equal rows a mean of values from 0 on would be as uncertain: Kish's effective sample size. #}
{% macro effective_n(total, squares) %}
    {{- return("(" ~ total ~ " / nullif(" ~ squares ~ ", 0) * " ~ total ~ ")") -}}
{% endmacro %}

{# The method of the interval of a mean of values from 0 on. #}
{% macro mean_method(n_effective, usual) %}
    {{- return(
        "cast(case when " ~ n_effective ~ " < 40 then 'log_t' else '" ~ usual ~ "' end as "
        ~ dbt.type_string() ~ ")"
    ) -}}
{% endmacro %}

{#
    One end of the interval of such a mean, or of a power of one. Where fewer than forty effective rows carry it, that of its
    logarithm by Student's t, with half as many degrees of freedom as effective rows: how much such values vary is seen
    worse than their mean.
#}
{% macro mean_bound(value, standard_error, n_effective, sign) %}
    {%- set t = mlmon.t_quantile("greatest(1.0, (" ~ n_effective ~ " - 1) / 2.0)") -%}
    {%- set normal = value ~ " " ~ sign ~ " 1.959963984540054 * " ~ standard_error -%}
    {{- return(
        "case when " ~ value ~ " is null or " ~ standard_error ~ " is null then null when " ~ n_effective
        ~ " < 40 then " ~ value ~ " * exp(" ~ sign ~ t ~ " * " ~ standard_error ~ " / " ~ value ~ ") else "
        ~ ("greatest(0, " ~ normal ~ ")" if sign == '-' else normal) ~ " end"
    ) -}}
{% endmacro %}

{# How far the interval of a share of ordered pairs goes on the scale of its logit; NULL where it is 0 or 1. #}
{% macro logit_width(value, variance, quantile) %}
    {{- return(
        "case when " ~ variance ~ " > 0 and " ~ value ~ " > 0 and " ~ value ~ " < 1 then " ~ quantile
        ~ " * least(sqrt(" ~ variance ~ ") / " ~ value ~ " / (1 - " ~ value ~ "), 40) end"
    ) -}}
{% endmacro %}

{#
    One end of the interval of a share of ordered pairs, on the scale of its logit where it has a width there. Where all pairs
    are in order nothing varies, and it is as uncertain as a proportion of as many rows as the rarest class has.
#}
{% macro rank_bound(value, variance, width, n_rarest, sign) %}
    {%- set normal = value ~ " " ~ sign ~ " 1.959963984540054 * sqrt(" ~ variance ~ ")" -%}
    {{- return(
        "case when " ~ width ~ " is not null then 1 / (1 + (1 - " ~ value ~ ") / " ~ value ~ " * exp("
        ~ ('' if sign == '-' else '-') ~ width ~ ")) when " ~ variance ~ " is not null and " ~ value
        ~ " in (0, 1) then " ~ mlmon.wilson_bound(value, n_rarest, sign) ~ " when " ~ variance
        ~ " is not null then " ~ ("greatest(0, " if sign == '-' else "least(1, ") ~ normal ~ ") end"
    ) -}}
{% endmacro %}

{% macro rank_method(value, variance, width) %}
    {{- return(
        "cast(case when " ~ width ~ " is not null then 'delong_logit' when " ~ value
        ~ " in (0, 1) then 'wilson_rarest_class' else 'delong' end as " ~ dbt.type_string() ~ ")"
    ) -}}
{% endmacro %}
