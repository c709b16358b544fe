{#
    The complementary error function for x >= 0, fractional error below 1.2e-7 everywhere: the Chebyshev fit of
    Press et al., Numerical Recipes, section 6.2.
#}
{% macro erfc(x) %}
    {%- set t = "(1.0 / (1.0 + 0.5 * " ~ x ~ "))" -%}
    {%- set polynomial = namespace(sql="0.17087277") -%}
    {%- for coefficient in [
        '-0.82215223', '1.48851587', '-1.13520398', '0.27886807', '-0.18628806', '0.09678418',
        '0.37409196', '1.00002368', '-1.26551223',
    ] -%}
        {%- set polynomial.sql = "(" ~ coefficient ~ " + " ~ t ~ " * " ~ polynomial.sql ~ ")" -%}
    {%- endfor -%}
    {{- return(
        t ~ " * " ~ mlmon.bounded_exp("-" ~ x ~ " * " ~ x ~ " + " ~ polynomial.sql)
    ) -}}
{% endmacro %}

{# exp of a number that may be far below zero; Postgres raises where the result would underflow. #}
{% macro bounded_exp(x) %}
    {{- return("case when " ~ x ~ " < -700 then 0.0 else exp(" ~ x ~ ") end") -}}
{% endmacro %}
