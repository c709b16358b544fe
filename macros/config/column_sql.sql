{#
    The SQL of a mapped column: its expression; its name as it is; or its name in the warehouse's quotes, where
    the user says so or where the bare word would mean something else (order, user).
#}
{% macro column_sql(column) %}
    {%- if column.expression is not none -%}{{- return("(" ~ column.expression ~ ")") -}}{%- endif -%}
    {%- if column.quote -%}{{- return(mlmon.quoted(column.name)) -}}{%- endif -%}
    {%- if column.name | lower in mlmon.sql_words() -%}
        {{- return(mlmon.quoted(mlmon.folded_name(column.name))) -}}
    {%- endif -%}
    {{- return(column.name) -}}
{% endmacro %}

{# A name in the warehouse's quotes, those inside it doubled. #}
{% macro quoted(name) %}
    {%- set mark = adapter.quote('x')[0] -%}
    {{- return(adapter.quote(name | replace(mark, mark ~ mark))) -}}
{% endmacro %}

{# An unquoted name as the warehouse stores it. #}
{% macro folded_name(name) %}
    {{- return(adapter.dispatch('folded_name', 'mlmon')(name)) -}}
{% endmacro %}

{% macro default__folded_name(name) %}
    {{- return(name) -}}
{% endmacro %}

{% macro postgres__folded_name(name) %}
    {{- return(name | lower) -}}
{% endmacro %}

{% macro snowflake__folded_name(name) %}
    {{- return(name | upper) -}}
{% endmacro %}

{# The words that a warehouse does not take for a column's name as they are. #}
{% macro sql_words() %}
    {{- return([
        'all', 'analyse', 'analyze', 'and', 'anti', 'any', 'array', 'as', 'asc', 'asof',
        'asymmetric', 'at', 'authorization', 'between', 'binary', 'both', 'by', 'case', 'cast',
        'check', 'collate', 'collation', 'column', 'concurrently', 'constraint', 'create',
        'cross', 'current_catalog', 'current_date', 'current_role', 'current_schema',
        'current_time', 'current_timestamp', 'current_user', 'default', 'deferrable', 'delete',
        'desc', 'describe', 'distinct', 'do', 'drop', 'else', 'end', 'except', 'exists',
        'false', 'fetch', 'for', 'foreign', 'freeze', 'from', 'full', 'glob', 'grant', 'group',
        'grouping', 'having', 'ilike', 'in', 'initially', 'inner', 'insert', 'intersect',
        'interval', 'into', 'is', 'isnull', 'join', 'lambda', 'lateral', 'leading', 'left',
        'like', 'limit', 'localtime', 'localtimestamp', 'natural', 'not', 'notnull', 'null',
        'of', 'offset', 'on', 'only', 'or', 'order', 'outer', 'overlaps', 'partition', 'pivot',
        'pivot_longer', 'pivot_wider', 'placing', 'positional', 'primary', 'qualify',
        'references', 'returning', 'right', 'row', 'rows', 'select', 'semi', 'session_user',
        'set', 'show', 'similar', 'some', 'summarize', 'symmetric', 'system_user', 'table',
        'tablesample', 'then', 'to', 'trailing', 'true', 'union', 'unique', 'unpack', 'unpivot',
        'update', 'user', 'using', 'values', 'variadic', 'verbose', 'when', 'where', 'window',
        'with',
    ]) -}}
{% endmacro %}
