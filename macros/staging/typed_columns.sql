{# A mapped column as text, 64-bit number or UTC timestamp; NULL of that type where the log has none. #}
{% macro as_text(log, column) %}
    {%- set sql = mlmon.mapped_sql(log, column) -%}
    {{- return("cast(" ~ (sql or 'null') ~ " as " ~ dbt.type_string() ~ ")") -}}
{% endmacro %}

{% macro as_double(log, column) %}
    {%- set sql = mlmon.mapped_sql(log, column) -%}
    {%- if sql is none -%}{{- return("cast(null as " ~ mlmon.type_double() ~ ")") -}}{%- endif -%}
    {{- return(mlmon.try_double(sql, mlmon.column_type(log, column))) -}}
{% endmacro %}

{% macro as_timestamp(log, column) %}
    {%- set sql = mlmon.mapped_sql(log, column) -%}
    {%- if sql is none -%}{{- return("cast(null as timestamp)") -}}{%- endif -%}
    {{- return(mlmon.utc_timestamp(sql, mlmon.column_type(log, column))) -}}
{% endmacro %}

{#
    A prediction or label as its class: whole numbers without decimals, booleans as true/false, then the
    declared label_mapping; for a binary monitor '1' is the positive class and '0' every other.
#}
{% macro as_class(m, log, column) %}
    {%- set sql = mlmon.mapped_sql(log, column) -%}
    {%- set text_type = dbt.type_string() -%}
    {%- if sql is none -%}{{- return("cast(null as " ~ text_type ~ ")") -}}{%- endif -%}
    {%- set data_type = mlmon.column_type(log, column) -%}
    {%- set ns = namespace(text="cast(" ~ sql ~ " as " ~ text_type ~ ")", positive=m.positive_class) -%}
    {%- if data_type.startswith('bool') -%}
        {%- set ns.text = "case when " ~ sql ~ " then 'true' when not " ~ sql ~ " then 'false' end" -%}
        {%- if m.positive_class == '1' and not m.label_mapping -%}{%- set ns.positive = 'true' -%}{%- endif -%}
    {%- elif mlmon.is_number_type(data_type) and 'int' not in data_type -%}
        {%- set number = "cast(" ~ sql ~ " as " ~ mlmon.type_double() ~ ")" -%}
        {%- set ns.text = "case when abs(" ~ number ~ ") < 1e15 and floor(" ~ number ~ ") = " ~ number
            ~ " then cast(cast(" ~ number ~ " as bigint) as " ~ text_type ~ ")"
            ~ " when " ~ mlmon.nan_to_null(number) ~ " is not null then " ~ ns.text ~ " end" -%}
    {%- endif -%}
    {%- if m.label_mapping -%}
        {%- set branches = [] -%}
        {%- for raw, class in m.label_mapping.items() -%}
            {%- do branches.append(
                "when " ~ mlmon.text_literal(raw) ~ " then " ~ mlmon.text_literal(class)
            ) -%}
        {%- endfor -%}
        {%- set ns.text = "case " ~ ns.text ~ " " ~ branches | join(" ") ~ " else " ~ ns.text ~ " end" -%}
    {%- endif -%}
    {%- if m.task == 'binary' -%}
        {{- return(
            "case when " ~ ns.text ~ " = " ~ mlmon.text_literal(ns.positive) ~ " then '1' when "
            ~ ns.text ~ " is not null then '0' end"
        ) -}}
    {%- endif -%}
    {{- return(ns.text) -}}
{% endmacro %}

{# The class of a prediction log: its prediction, or the score held against the declared threshold. #}
{% macro as_predicted_class(m, log, columns) %}
    {%- if columns.prediction is none and m.threshold is not none and columns.score is not none -%}
        {%- set score = mlmon.nan_to_null(mlmon.as_double(log, columns.score)) -%}
        {{- return(
            "case when " ~ score ~ " >= " ~ m.threshold ~ " then '1' when " ~ score
            ~ " is not null then '0' end"
        ) -}}
    {%- endif -%}
    {{- return(mlmon.as_class(m, log, columns.prediction)) -}}
{% endmacro %}
