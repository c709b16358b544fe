{# The model that judges drift statistics by chance: in Python with scipy where the warehouse runs it, else in SQL. #}
{% macro drift_tests() %}
    {{- return(
        ref('mlmon', 'int_mlmon__drift_tests_python') if mlmon.has_python_models()
        else ref('mlmon', 'int_mlmon__drift_tests_sql')
    ) -}}
{% endmacro %}

{#
    Whether this run's Python models are enabled. Their YAML holds the same condition, because YAML cannot call a
    macro.
#}
{% macro has_python_models() %}
    {{- return(adapter.dispatch('has_python_models', 'mlmon')()) -}}
{% endmacro %}

{% macro default__has_python_models() %}{{- return(false) -}}{% endmacro %}

{% macro duckdb__has_python_models() %}
    {{- return(var('mlmon_python_models') and var('mlmon_monitors', {}) != {}) -}}
{% endmacro %}
