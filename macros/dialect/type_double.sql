{# The 64-bit floating point type; dbt's own type_float is 32-bit on DuckDB. #}
{% macro type_double() %}
    {{- return(adapter.dispatch('type_double', 'mlmon')()) -}}
{% endmacro %}

{% macro default__type_double() %}{{ return('double precision') }}{% endmacro %}

{% macro duckdb__type_double() %}{{ return('double') }}{% endmacro %}

{% macro spark__type_double() %}{{ return('double') }}{% endmacro %}

{% macro bigquery__type_double() %}{{ return('float64') }}{% endmacro %}
