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
    A prediction or label as the text of its class: whole numbers without decimals, booleans as true/false (as the
    1 and 0 of a binary monitor that says nothing else), then the declared label_mapping.
#}
{% macro as_class_text(m, log, column) %}
    {%- set sql = mlmon.mapped_sql(log, column) -%}
    {%- set text_type = dbt.type_string() -%}
    {%- if sql is none -%}{{- return("cast(null as " ~ text_type ~ ")") -}}{%- endif -%}
    {%- set data_type = mlmon.column_type(log, column) -%}
    {%- set ns = namespace(text="cast(" ~ sql ~ " as " ~ text_type ~ ")") -%}
    {%- if data_type.startswith('bool') -%}
        {%- set is_plain = m.task == 'binary' and m.positive_class == '1' and not m.label_mapping -%}
        {%- set ns.text = "case when " ~ sql ~ " then '" ~ ('1' if is_plain else 'true')
            ~ "' when not " ~ sql ~ " then '" ~ ('0' if is_plain else 'false') ~ "' end" -%}
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
    {{- return(ns.text) -}}
{% endmacro %}

{# A prediction or label as its class: for a binary monitor '1' is the positive class and '0' every other. #}
{% macro as_class(m, log, column) %}
    {%- set text = mlmon.as_class_text(m, log, column) -%}
    {%- if m.task == 'binary' -%}
        {%- set problems = [] -%}
        {%- do mlmon.check_positive_class(problems, m, log, column) -%}
        {%- if problems -%}{%- do mlmon.raise_problems("configuration", problems) -%}{%- endif -%}
        {{- return(
            "case when " ~ text ~ " = " ~ mlmon.text_literal(m.positive_class) ~ " then '1' when "
            ~ text ~ " is not null then '0' end"
        ) -}}
    {%- endif -%}
    {{- return(text) -}}
{% endmacro %}

{# A column of numbers or booleans never holds a positive class that is a word. #}
{% macro check_positive_class(problems, m, log, column) %}
    {%- set data_type = mlmon.column_type(log, column) if column is not none else '' -%}
    {%- set holds = "true and false" if data_type.startswith('bool')
        else "numbers" if mlmon.is_number_type(data_type) else none -%}
    {%- set is_possible = holds is none or m.label_mapping
        or m.positive_class in ['true', 'false'] + (['1'] if data_type.startswith('bool') else [])
        if not mlmon.is_number_type(data_type)
        else m.label_mapping or modules.re.fullmatch('-?[0-9.]+(e-?[0-9]+)?', m.positive_class) -%}
    {%- if holds and not is_possible -%}
        {%- do mlmon.add_problem(
            problems, "mlmon_monitors." ~ m.name ~ ".positive_class",
            mlmon.shown(m.positive_class) ~ ", where the column " ~ mlmon.mapped_sql(log, column)
            ~ " of " ~ log.relation ~ " holds " ~ holds,
            "a value that the column can hold",
            "declare label_mapping: {true: " ~ m.positive_class ~ ", false: other}"
            if data_type.startswith('bool')
            else "declare label_mapping: {1: " ~ m.positive_class ~ ", 0: other}"
        ) -%}
    {%- endif -%}
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
