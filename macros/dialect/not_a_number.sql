{# NaN becomes NULL. NaN = NaN is true on DuckDB, Postgres and Spark, while `x <> x` never finds it. #}
{% macro nan_to_null(expression) %}
    {{- return("nullif(" ~ expression ~ ", cast('NaN' as " ~ mlmon.type_double() ~ "))") -}}
{% endmacro %}
