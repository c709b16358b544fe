{#
    Holds a log's mapped columns against what the relation has. A missing identity column, or a missing column
    that the user mapped by hand and that nothing can replace, is an error; a missing feature, score or segment is
    returned by name and becomes NULL in staging, with a `schema` row in fct_mlmon__quality_checks.

    m: the monitor; log_name: predictions, labels or reference; columns: the adapter's columns of the relation.
    Returns the names of mapped columns that are absent.
#}
{% macro check_columns(m, log_name, columns) %}
    {%- set key = {
        'predictions': 'columns', 'labels': 'label_columns', 'reference': 'reference_columns',
    }[log_name] -%}
    {%- set identity = {
        'predictions': ['request_id', 'predicted_at'],
        'labels': ['request_id', 'label', 'labeled_at'],
        'reference': [],
    }[log_name] -%}
    {%- set exact = columns | map(attribute='name') | list -%}
    {%- set folded = exact | map('lower') | list -%}
    {%- set problems = [] -%}
    {%- set absent = [] -%}
    {%- for role, column in m[key].items() if column is not none and column.expression is none -%}
        {%- if not mlmon.has_column(column, exact, folded) -%}
            {%- do absent.append(column.name) -%}
            {%- if role in identity or (log_name != 'reference' and column.declared
                and role not in ('score', 'prediction')) -%}
                {%- do mlmon.add_problem(
                    problems, "mlmon_monitors." ~ m.name ~ "." ~ key ~ "." ~ role,
                    "no column " ~ mlmon.shown(column.name) ~ " in the " ~ log_name ~ " log",
                    "one of its columns: " ~ exact | join(", "),
                    "name the column that holds it" ~ ("" if column.quote
                        else ", with `quote: true` where case or spaces matter")
                ) -%}
            {%- endif -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if log_name != 'labels' -%}
        {%- for item in m.features + m.segments if item.column.expression is none -%}
            {%- if not mlmon.has_column(item.column, exact, folded) -%}
                {%- do absent.append(item.column.name) -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
    {%- if problems -%}
        {%- do exceptions.raise_compiler_error(
            "mlmon cannot read a log:\n  " ~ problems | join("\n  ")
        ) -%}
    {%- endif -%}
    {{- return(absent) -}}
{% endmacro %}

{# Quoted names are matched exactly, others as the warehouse folds them. #}
{% macro has_column(column, exact, folded) %}
    {{- return(column.name in exact if column.quote else column.name | lower in folded) -}}
{% endmacro %}
