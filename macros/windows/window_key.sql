{# The one key of a base window: monitor, version and start. Incremental facts are replaced by it. #}
{% macro window_key(monitor='monitor', model_version='model_version', window_start='window_start') %}
    {{- return(
        "md5(" ~ monitor ~ " || '|' || " ~ model_version ~ " || '|' || cast("
        ~ mlmon.microseconds(window_start) ~ " as " ~ dbt.type_string() ~ "))"
    ) -}}
{% endmacro %}

{% macro monitor_key(monitor='monitor', model_version='model_version') %}
    {{- return("md5(" ~ monitor ~ " || '|' || " ~ model_version ~ ")") -}}
{% endmacro %}

{% macro column_key(monitor='monitor', column_role='column_role', column_name='column_name') %}
    {{- return("md5(" ~ monitor ~ " || '|' || " ~ column_role ~ " || '|' || " ~ column_name ~ ")") -}}
{% endmacro %}
