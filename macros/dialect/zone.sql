{# UTC to the local wall clock of an IANA zone, and back; both are timestamps without zone. #}
{% macro utc_to_local(timestamp, timezone) %}
    {%- if timezone == 'UTC' -%}{{- return(timestamp) -}}{%- endif -%}
    {{- return(adapter.dispatch('utc_to_local', 'mlmon')(timestamp, timezone)) -}}
{% endmacro %}

{% macro default__utc_to_local(timestamp, timezone) %}
    {{- return(
        "((" ~ timestamp ~ " at time zone 'UTC') at time zone " ~ mlmon.text_literal(timezone) ~ ")"
    ) -}}
{% endmacro %}

{% macro local_to_utc(timestamp, timezone) %}
    {%- if timezone == 'UTC' -%}{{- return(timestamp) -}}{%- endif -%}
    {{- return(adapter.dispatch('local_to_utc', 'mlmon')(timestamp, timezone)) -}}
{% endmacro %}

{% macro default__local_to_utc(timestamp, timezone) %}
    {{- return(
        "((" ~ timestamp ~ " at time zone " ~ mlmon.text_literal(timezone) ~ ") at time zone 'UTC')"
    ) -}}
{% endmacro %}
