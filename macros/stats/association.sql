{# A square that Postgres can hold: it raises where one would underflow. #}
{% macro squared(x) %}
    {{- return(
        "case when abs(" ~ x ~ ") < 1e-150 then 0 else " ~ x ~ " * " ~ x ~ " end"
    ) -}}
{% endmacro %}

{# What part of the whole a variance is; parts too small to be multiplied any further count as none. #}
{% macro variance_share(part, whole) %}
    {{- return(
        "case when " ~ part ~ " < greatest(" ~ whole ~ ", 1e-250) * 1e-30 then 0 else (" ~ part ~ ") / " ~ whole
        ~ " end"
    ) -}}
{% endmacro %}

{# Fisher's atanh of a correlation, finite at 1 and -1. #}
{% macro fisher_z(r) %}
    {%- set bounded = "greatest(-0.9999999999999, least(0.9999999999999, " ~ r ~ "))" -%}
    {{- return(
        "case when " ~ r ~ " is not null then 0.5 * ln((1 + " ~ bounded ~ ") / (1 - " ~ bounded
        ~ ")) end"
    ) -}}
{% endmacro %}

{#
    The association that lies `deviations` standard deviations from an estimate, brought back from the scale on which
    that was made: tanh of Fisher's z, the root of a square, and no less than 0 of what cannot be negative. The spread
    of a square grows with it, so that its upper end lies further away by `curvature`: (V + z s)^2 and not V^2 + 2 z V s.
#}
{% macro association_at(scale, point, sd, curvature, deviations) %}
    {%- set rising = deviations and not deviations.startswith('-') -%}
    {%- set fisher = point ~ (" + " ~ deviations ~ " * " ~ sd if deviations else "") -%}
    {%- set other = ("greatest(0, " ~ point ~ ") + " ~ deviations ~ " * " ~ sd ~ " + " ~ deviations
        ~ " * " ~ deviations ~ " * " ~ curvature) if rising else fisher -%}
    {%- set exponential = "exp(2 * greatest(-300, least(300, " ~ fisher ~ ")))" -%}
    {{- return(
        "case when " ~ fisher ~ " is null then null when " ~ scale ~ " = 'fisher' then 1 - 2 / ("
        ~ exponential ~ " + 1) when " ~ scale
        ~ " = 'root' then sqrt(greatest(0, least(1, " ~ other ~ "))) else greatest(0, " ~ other
        ~ ") end"
    ) -}}
{% endmacro %}

{#
    The standard error to one side (sign '-' or '+') of the difference of two independent estimates, from the ends of
    their intervals (Zou 2007): asymmetric where they are.
#}
{% macro difference_margin(current, reference, sign, level) %}
    {%- set a = current ~ ("_low_" if sign == '-' else "_high_") ~ level -%}
    {%- set b = reference ~ ("_high_" if sign == '-' else "_low_") ~ level -%}
    {{- return(
        "sqrt(power(" ~ current ~ " - " ~ a ~ ", 2) + power(" ~ reference ~ " - " ~ b ~ ", 2))"
    ) -}}
{% endmacro %}
