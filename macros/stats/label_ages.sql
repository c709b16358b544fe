{#
    Whether a row of int_mlmon__labelled_predictions holds the label that counts at an age in days: it is there by then, and no
    newer one is. NULL days are `latest`: the label that none has taken the place of.
#}
{% macro counts_at_age(labelled, days) %}
    {%- set age = "(" ~ days ~ " * 86400000000)" -%}
    {{- return(
        "case when " ~ days ~ " is null then " ~ labelled ~ ".valid_to_microseconds is null else "
        ~ labelled ~ ".valid_from_microseconds <= " ~ age ~ " and coalesce(" ~ labelled
        ~ ".valid_to_microseconds > " ~ age ~ ", true) end"
    ) -}}
{% endmacro %}
