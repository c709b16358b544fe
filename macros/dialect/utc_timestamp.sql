{#
    A log's time as a timestamp without zone, in UTC. Times with a zone are converted, also those written as text
    (2026-01-05T09:00:00-05:00, …Z); naive ones are taken as UTC, dates are their midnight, and text that is no time
    becomes NULL (and goes to the quarantine). An expression, whose type is not known, is read by its text.
#}
{% macro utc_timestamp(expression, data_type=none) %}
    {{- return(adapter.dispatch('utc_timestamp', 'mlmon')(expression, (data_type or '') | lower)) -}}
{% endmacro %}

{% macro default__utc_timestamp(expression, data_type) %}
    {%- if 'with time zone' in data_type or data_type in ('timestamptz', 'timestamp_tz') -%}
        {{- return("(" ~ expression ~ " at time zone 'UTC')") -}}
    {%- elif data_type in ('', 'text', 'varchar', 'string') or 'char' in data_type -%}
        {{- return(mlmon.text_timestamp("trim(cast(" ~ expression ~ " as " ~ dbt.type_string() ~ "))")) -}}
    {%- endif -%}
    {{- return("cast(" ~ expression ~ " as timestamp)") -}}
{% endmacro %}

{% macro text_timestamp(text) %}
    {{- return(adapter.dispatch('text_timestamp', 'mlmon')(text)) -}}
{% endmacro %}

{% macro default__text_timestamp(text) %}{{- return("try_cast(" ~ text ~ " as timestamp)") -}}{% endmacro %}

{# A zone stands after minutes: the -05 of 2026-01-05 is none. #}
{% macro zone_pattern() %}
    {{- return("[:][0-9.]+ ?(Z|[+-](0[0-9]|1[0-4])([:]?[0-5][0-9])?)$") -}}
{% endmacro %}

{% macro duckdb__text_timestamp(text) %}
    {#- A cast to timestamp would drop the zone, and one to timestamptz takes offsets of days. -#}
    {{- return(
        "case when regexp_matches(" ~ text ~ ", '" ~ mlmon.zone_pattern() ~ "') then try_cast(replace("
        ~ "replace(" ~ text ~ ", ' +', '+'), ' -', '-') as timestamptz) at time zone 'UTC'"
        ~ " when not regexp_matches(" ~ text ~ ", '[:][0-9.]+ ?[+-][0-9:]+$')"
        ~ " then try_cast(" ~ text ~ " as timestamp) end"
    ) -}}
{% endmacro %}

{# Postgres raises where it cannot cast, so the form is checked first. #}
{% macro postgres__text_timestamp(text) %}
    {%- set time = "([ T]([01][0-9]|2[0-3])([:][0-5][0-9]){1,2}([.][0-9]{1,9})?"
        ~ "( ?(Z|[+-](0[0-9]|1[0-4])([:]?[0-5][0-9])?))?)?$'" -%}
    {%- set form = "'^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])" ~ time -%}
    {%- set month_end = "'^[0-9]{4}-((0[13-9]|1[0-2])-(29|30)|(0[13578]|1[02])-31)" ~ time -%}
    {{- return(
        "case when not (" ~ text ~ " ~ " ~ form ~ " or " ~ text ~ " ~ " ~ month_end ~ ") then null"
        ~ " when " ~ text ~ " ~ '" ~ mlmon.zone_pattern() ~ "' then cast(" ~ text
        ~ " as timestamptz) at time zone 'UTC' else cast(" ~ text ~ " as timestamp) end"
    ) -}}
{% endmacro %}
