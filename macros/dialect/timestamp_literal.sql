{# A date or time of the configuration as a timestamp. #}
{% macro timestamp_literal(value) %}
    {{- return("cast(" ~ mlmon.text_literal(value) ~ " as timestamp)") -}}
{% endmacro %}
