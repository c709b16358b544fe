{#
    Values of the configuration as a relation. `types`: {column: text | bigint | double | boolean | date};
    `rows`: a list of dicts, absent keys are NULL. Without rows the relation is empty and still typed.
#}
{% macro settings_relation(types, rows) %}
    {%- set sql_types = {
        'text': dbt.type_string(), 'double': mlmon.type_double(), 'bigint': 'bigint',
        'boolean': 'boolean', 'date': 'date',
    } -%}
    {#- While dbt parses it looks for references, of which no row has any. -#}
    {%- set rows = rows if execute else [] -%}
    {%- set selects = [] -%}
    {%- for row in rows or [{}] -%}
        {%- set cells = [] -%}
        {%- for column, kind in types.items() -%}
            {%- set value = row.get(column) -%}
            {%- if value is none -%}{%- set sql = 'null' -%}
            {%- elif kind in ('text', 'date') -%}{%- set sql = mlmon.text_literal(value) -%}
            {%- else -%}{%- set sql = value | string | lower -%}
            {%- endif -%}
            {%- do cells.append("cast(" ~ sql ~ " as " ~ sql_types[kind] ~ ") as " ~ column) -%}
        {%- endfor -%}
        {%- do selects.append("select " ~ cells | join(", ") ~ ("" if rows else " where false")) -%}
    {%- endfor -%}
    {{- return(selects | join("\nunion all\n")) -}}
{% endmacro %}
