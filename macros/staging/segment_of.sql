{# The value a row's segment is shown under: itself where it is told apart, else __missing__ or __other__. #}
{% macro resolved_segment(slot, known) %}
    {{- return(
        "case when " ~ slot ~ " is null then '__missing__' when " ~ known
        ~ ".segment_value is null then '__other__' else " ~ slot ~ " end"
    ) -}}
{% endmacro %}
