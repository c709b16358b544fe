{# Raised when the meaning of a stored fact changes, so that an upgrade recomputes every window once. #}
{% macro facts_version() %}{{- return('2') -}}{% endmacro %}
