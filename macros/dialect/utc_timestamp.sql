{#
    A log's time as a timestamp without zone, in UTC. Times with a zone are converted, naive ones are taken
    as UTC, dates are their midnight, and text that is no time becomes NULL (and goes to the quarantine).
#}
{% macro utc_timestamp(expression, data_type=none) %}
    {{- return(adapter.dispatch('utc_timestamp', 'mlmon')(expression, (data_type or '') | lower)) -}}
{% endmacro %}

{% macro default__utc_timestamp(expression, data_type) %}
    {%- if 'with time zone' in data_type or data_type in ('timestamptz', 'timestamp_tz') -%}
        {{- return("(" ~ expression ~ " at time zone 'UTC')") -}}
    {%- elif data_type in ('', 'text', 'varchar', 'string') or 'char' in data_type -%}
        {{- return("try_cast(" ~ expression ~ " as timestamp)") -}}
    {%- endif -%}
    {{- return("cast(" ~ expression ~ " as timestamp)") -}}
{% endmacro %}

{% macro postgres__utc_timestamp(expression, data_type) %}
    {%- if 'with time zone' in data_type or data_type == 'timestamptz' -%}
        {{- return("(" ~ expression ~ " at time zone 'UTC')") -}}
    {%- elif data_type in ('', 'text') or 'char' in data_type -%}
        {%- set text = "trim(cast(" ~ expression ~ " as text))" -%}
        {%- set form = "'^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])([ T]([01][0-9]|2[0-3])(:[0-5][0-9]){1,2}([.][0-9]{1,9})?)?$'" -%}
        {%- set month_end = "'^[0-9]{4}-((0[13-9]|1[0-2])-(29|30)|(0[13578]|1[02])-31)([ T]([01][0-9]|2[0-3])(:[0-5][0-9]){1,2}([.][0-9]{1,9})?)?$'" -%}
        {{- return(
            "case when " ~ text ~ " ~ " ~ form ~ " or " ~ text ~ " ~ " ~ month_end
            ~ " then cast(" ~ text ~ " as timestamp) end"
        ) -}}
    {%- endif -%}
    {{- return("cast(" ~ expression ~ " as timestamp)") -}}
{% endmacro %}
