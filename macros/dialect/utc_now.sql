{# The warehouse's clock as a timestamp without zone, in UTC. #}
{% macro utc_now() %}
    {{- return(adapter.dispatch('utc_now', 'mlmon')()) -}}
{% endmacro %}

{% macro default__utc_now() %}{{- return("(current_timestamp at time zone 'UTC')") -}}{% endmacro %}

{% macro snowflake__utc_now() %}{{- return("sysdate()") -}}{% endmacro %}

{% macro bigquery__utc_now() %}{{- return("current_datetime('UTC')") -}}{% endmacro %}

{% macro spark__utc_now() %}
    {{- return("to_utc_timestamp(current_timestamp(), current_timezone())") -}}
{% endmacro %}

{# There it is a timestamp without zone already, in UTC. #}
{% macro redshift__utc_now() %}{{- return("sysdate") -}}{% endmacro %}
