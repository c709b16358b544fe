{#
    Holds a log's mapped columns against what the relation has. A missing identity column, or another that the
    user mapped by hand and that nothing can replace, is added to the problems; a missing feature, segment, score
    or prediction is returned by name and becomes NULL in staging. A column that nobody mapped is one that the
    log has not.

    m: the monitor; log_name: predictions, labels or reference; columns: the adapter's columns of the relation.
    Returns the names of the mapped columns that are absent.
#}
{% macro check_columns(problems, m, log_name, columns) %}
    {%- set key = {
        'predictions': 'columns', 'labels': 'label_columns', 'reference': 'reference_columns',
    }[log_name] -%}
    {%- set names = columns | map(attribute='name') | list -%}
    {%- set folded = names | map('lower') | list -%}
    {%- set absent = [] -%}
    {%- for role, column in m[key].items()
        if column is not none and not mlmon.has_column(column, names, folded) -%}
        {%- do absent.append(column.name) -%}
        {%- set is_declared = column.declared and log_name != 'reference'
            and role not in ('score', 'prediction') -%}
        {%- if is_declared or role in mlmon.identity_columns()[key] -%}
            {%- do mlmon.add_problem(
                problems, "mlmon_monitors." ~ m.name ~ "." ~ key ~ "."
                ~ ('relevance' if role == 'label' and m.task == 'ranking' else role),
                "no column " ~ mlmon.shown(column.name) ~ " in the " ~ log_name ~ " log",
                "its columns " ~ names | join(", "), mlmon.missing_column_fix(column, names)
            ) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- for item in m.features + m.segments + m.class_scores
        if log_name != 'labels' and not mlmon.has_column(item.column, names, folded) -%}
        {%- do absent.append(item.column.name) -%}
    {%- endfor -%}
    {{- return(absent) -}}
{% endmacro %}

{# Whether the log has a mapped column. Quoted names are matched exactly, others as the warehouse folds them. #}
{% macro has_column(column, names, folded) %}
    {%- if column.expression is not none -%}{{- return(true) -}}{%- endif -%}
    {%- if column.name in names and column.quote -%}{{- return(true) -}}{%- endif -%}
    {%- if column.quote or column.name | lower not in folded -%}{{- return(false) -}}{%- endif -%}
    {{- return(adapter.dispatch('is_unquoted_column', 'mlmon')(column.name, names)) -}}
{% endmacro %}

{# Of names that differ by case alone: whether the unquoted one reaches one of the columns. #}
{% macro default__is_unquoted_column(name, names) %}
    {{- return(true) -}}
{% endmacro %}

{% macro postgres__is_unquoted_column(name, names) %}
    {{- return(mlmon.folded_name(name) in names) -}}
{% endmacro %}

{% macro snowflake__is_unquoted_column(name, names) %}
    {{- return(mlmon.folded_name(name) in names) -}}
{% endmacro %}

{% macro missing_column_fix(column, names) %}
    {%- for name in names if name | lower == column.name | lower -%}
        {{- return(
            "write {name: " ~ name ~ ", quote: " ~ ("false" if column.quote else "true") ~ "}"
        ) -}}
    {%- endfor -%}
    {%- set near = mlmon.nearest(column.name, names) -%}
    {%- if not near -%}{{- return("name the column that holds it") -}}{%- endif -%}
    {%- set is_plain = modules.re.fullmatch('[A-Za-z_][A-Za-z0-9_]*', near) -%}
    {{- return(
        "did you mean " ~ (near if is_plain else "{name: " ~ near ~ ", quote: true}") ~ "?"
    ) -}}
{% endmacro %}
