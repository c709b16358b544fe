{# Seconds from one timestamp to a later one, as a 64-bit number. #}
{% macro seconds_between(earlier, later) %}
    {{- return(
        "cast(" ~ mlmon.microseconds(later) ~ " - " ~ mlmon.microseconds(earlier) ~ " as "
        ~ mlmon.type_double() ~ ") / 1000000"
    ) -}}
{% endmacro %}
