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

{#
    What the bins of a label mean: 'class', or of a number a hash of the reference whose bins they are, because counts in the
    bins of another are not compared. NULL of a number without a reference.
#}
{% macro label_spec_id(is_class, reference_hash) %}
    {{- return("case when " ~ is_class ~ " then 'class' else md5('label|' || " ~ reference_hash ~ ") end") -}}
{% endmacro %}
