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

{# The quantile for what n rows of a class tell: t with fewer than fifty of them. #}
{% macro quantile_of(n) %}
    {{- return(
        "case when " ~ n ~ " < 50 then " ~ mlmon.t_quantile("greatest(1.0, " ~ n ~ " - 1)")
        ~ " else 1.959963984540054 end"
    ) -}}
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

{#
    The rows of a relation with value, a share of ordered pairs, its variance and n_rarest, how many rows the rarest class has:
    beside them value_low, value_high, interval_method, and the variance that goes with these. Where `on_logit` holds the
    interval is that of the logit, by Student's t with fewer than fifty rows of the rarest class. Where all pairs are in order
    nothing varies, and the value is as uncertain as a proportion of as many rows as that class has.
#}
{% macro rank_intervals(relation, on_logit) %}
    select
        bounded.*,
        case
            when value in (0, 1) and variance is not null
                then power((value_high - value_low) / 1.959963984540054, 2)
            else variance
        end as interval_variance
    from (
        select
            widths.*,
            {%- for end, sign, cut in [('low', '-', 'greatest(0, '), ('high', '+', 'least(1, ')] %}
            case
                when width is not null
                    then 1 / (1 + (1 - value) / value * exp({{ '' if sign == '-' else '-' }}width))
                when variance is null then null
                when value in (0, 1) then {{ mlmon.wilson_bound('value', 'n_rarest', sign) }}
                else {{ cut }}value {{ sign }} 1.959963984540054 * sqrt(variance))
            end as value_{{ end }},
            {%- endfor %}
            cast(
                case
                    when width is not null then 'delong_logit'
                    when value in (0, 1) then 'wilson_rarest_class'
                    else 'delong'
                end as {{ dbt.type_string() }}
            ) as interval_method
        from (
            select
                given.*,
                case
                    when {{ on_logit }} and variance > 0 and value > 0 and value < 1
                        then
                            {{ mlmon.quantile_of('n_rarest') }}
                            * least(sqrt(variance) / value / (1 - value), 40)
                end as width
            from {{ relation }} as given
        ) as widths
    ) as bounded
{% endmacro %}
