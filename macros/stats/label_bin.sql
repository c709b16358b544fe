{# The bin of a row's label: its class, or the number of the bin that its value falls into. #}
{% macro label_bin(rows, edges) %}
    {{- return(
        "coalesce(" ~ rows ~ ".label_class, cast("
        ~ mlmon.bin_of(rows ~ ".label_value", edges, mlmon.label_edge_count())
        ~ " as " ~ dbt.type_string() ~ "))"
    ) -}}
{% endmacro %}

{# The standardised finite value of a numeric label; NULL of a class. #}
{% macro label_y(rows, edges) %}
    {%- set x = rows ~ ".label_value" -%}
    {{- return(
        "case when " ~ x ~ " - " ~ x ~ " = 0 then "
        ~ mlmon.standardise(x, edges ~ ".center", edges ~ ".scale") ~ " end"
    ) -}}
{% endmacro %}
