{# What a person reads on a bin: its category, or its bounds. #}
{% macro bin_text(bins) %}
    {%- set lower = mlmon.edge_text(bins ~ ".bin_lower") -%}
    {%- set upper = mlmon.edge_text(bins ~ ".bin_upper") -%}
    {{- return(
        "case when " ~ bins ~ ".bin_label is not null then " ~ bins ~ ".bin_label"
        ~ " when " ~ bins ~ ".bin_kind = 'value' then '= ' || " ~ lower
        ~ " when " ~ bins ~ ".bin_kind = 'below' then 'below ' || " ~ upper
        ~ " when " ~ bins ~ ".bin_lower is null and " ~ bins ~ ".bin_upper is null then 'any'"
        ~ " when " ~ bins ~ ".bin_lower is null then 'up to ' || " ~ upper
        ~ " when " ~ bins ~ ".bin_upper is null then 'above ' || " ~ lower
        ~ " else 'above ' || " ~ lower ~ " || ' up to ' || " ~ upper ~ " end"
    ) -}}
{% endmacro %}

{# A double as short text that is the same on every warehouse: six decimals, or its size where it is huge. #}
{% macro edge_text(x) %}
    {{- return(
        "case when " ~ x ~ " is null then '' when not (" ~ x ~ " - " ~ x ~ " = 0) then"
        ~ " case when " ~ x ~ " > 0 then 'inf' else '-inf' end"
        ~ " when abs(" ~ x ~ ") >= 1e15 then case when " ~ x ~ " > 0 then 'about 1e' else 'about -1e' end"
        ~ " || cast(cast(floor(log10(abs(" ~ x ~ "))) as integer) as " ~ dbt.type_string() ~ ")"
        ~ " else cast(cast(" ~ x ~ " as decimal(28, 6)) as " ~ dbt.type_string() ~ ") end"
    ) -}}
{% endmacro %}

{# Marts hold no infinity: an open or infinite edge is NULL. #}
{% macro finite_or_null(x) %}
    {{- return("case when " ~ x ~ " - " ~ x ~ " = 0 then " ~ x ~ " end") -}}
{% endmacro %}
