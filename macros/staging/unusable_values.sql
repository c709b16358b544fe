{#
    What numeric columns of a row hold instead of a number: their slot and the text, or NaN; NULL in nearly every row. An empty
    text is a missing value. Columns of whole numbers and booleans can hold neither. Slots and texts are told apart by
    control characters, so that one column carries all of them.
#}
{% macro unusable_values(m, log, columns) %}
    {%- set by_slot = {} -%}
    {%- for feature in m.features if feature.kind == 'numeric' -%}
        {%- do by_slot.update({feature.slot: feature.column}) -%}
    {%- endfor -%}
    {%- for score in m.class_scores -%}
        {%- do by_slot.update({score.slot: score.column}) -%}
    {%- endfor -%}
    {%- if m.task == 'regression' -%}
        {%- do by_slot.update({'prediction_value': columns.prediction}) -%}
    {%- else -%}
        {%- do by_slot.update({'score': columns.score}) -%}
    {%- endif -%}
    {%- set conditions = [] -%}
    {%- set texts = [] -%}
    {%- for slot, column in by_slot.items() -%}
        {%- set sql = mlmon.mapped_sql(log, column) -%}
        {%- set data_type = mlmon.column_type(log, column) if sql else '' -%}
        {%- if sql and not data_type.startswith('bool') and 'int' not in data_type -%}
            {%- set number = mlmon.as_double(log, column) -%}
            {%- set is_nan = number ~ " = cast('NaN' as " ~ mlmon.type_double() ~ ")" -%}
            {%- set mark = "chr(30) || '" ~ slot ~ "' || chr(31) || " -%}
            {%- if mlmon.is_number_type(data_type) -%}
                {%- do conditions.append(is_nan) -%}
                {%- do texts.append("case when " ~ is_nan ~ " then " ~ mark ~ "'NaN' else '' end") -%}
            {%- else -%}
                {%- set text = "cast(" ~ sql ~ " as " ~ dbt.type_string() ~ ")" -%}
                {%- do conditions.append("(" ~ sql ~ " is not null and (" ~ number ~ " is null or " ~ is_nan ~ "))") -%}
                {%- do texts.append(
                    "case when " ~ is_nan ~ " then " ~ mark ~ "'NaN' when " ~ number ~ " is null and trim("
                    ~ text ~ ") <> '' then " ~ mark ~ "substr(" ~ text ~ ", 1, 200) else '' end"
                ) -%}
            {%- endif -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if not conditions -%}{{- return("cast(null as " ~ dbt.type_string() ~ ")") -}}{%- endif -%}
    {{- return(
        "case when " ~ conditions | join(" or ") ~ " then nullif(" ~ texts | join(" || ") ~ ", '') end"
    ) -}}
{% endmacro %}

{# What the row holds in that slot instead of a number; NULL where it holds a number or nothing. #}
{% macro unusable_value(unusable_values, slot) %}
    {%- set found = dbt.split_part(unusable_values, "chr(30) || " ~ slot ~ " || chr(31)", 2) -%}
    {{- return("nullif(" ~ dbt.split_part(found, "chr(30)", 1) ~ ", '')") -}}
{% endmacro %}
