{#
    How far from a threshold a value still counts as equal to it: 1e-12 of it, as for
    every verdict.
#}
{% macro comparison_slack(threshold) -%}
    (
        abs({{ threshold }}) * 0.000000000001
        + cast('1e-300' as {{ mlmon.type_double() }})
    )
{%- endmacro %}
