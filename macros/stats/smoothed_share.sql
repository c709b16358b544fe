{#
    A bin's share before renormalising, by the column's smoothing policy: floor_1e-4 lifts shares below 1e-4
    to it, laplace_half adds half a row to every bin, none leaves the share alone.
#}
{% macro smoothed_share(count, total, smoothing) %}
    {%- set share = "cast(" ~ count ~ " as " ~ mlmon.type_double() ~ ") / nullif(" ~ total ~ ", 0)" -%}
    {{- return(
        "case " ~ smoothing ~ " when 'floor_1e-4' then greatest(" ~ share ~ ", 1e-4)"
        ~ " when 'laplace_half' then cast(" ~ count ~ " + 0.5 as " ~ mlmon.type_double()
        ~ ") else " ~ share ~ " end"
    ) -}}
{% endmacro %}
