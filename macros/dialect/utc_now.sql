{# The warehouse's clock as a timestamp without zone, in UTC. #}
{% macro utc_now() %}
    {{- return(adapter.dispatch('utc_now', 'mlmon')()) -}}
{% endmacro %}

{% macro default__utc_now() %}{{- return("(current_timestamp at time zone 'UTC')") -}}{% endmacro %}
