{#
    The number of the base window an event falls into: local days (or UTC hours) since 1970-01-01.
    Consecutive windows have consecutive numbers, so a span is a range of numbers, DST or not.
#}
{% macro window_index(timestamp, monitor='monitor') %}
    {{- return(mlmon.by_clock(mlmon.window_index_in, timestamp, monitor)) -}}
{% endmacro %}

{# The UTC timestamp at which a window begins; `index` is an expression in window numbers. #}
{% macro window_start(index, monitor='monitor') %}
    {{- return(mlmon.by_clock(mlmon.window_start_in, index, monitor)) -}}
{% endmacro %}

{# One expression per grain and zone; where monitors differ in them, the monitor's name decides. #}
{% macro by_clock(render, argument, monitor='monitor') %}
    {%- set names_by_clock = {} -%}
    {%- for m in mlmon.monitors() -%}
        {%- do names_by_clock.setdefault((m.grain, m.timezone), []).append(
            mlmon.text_literal(m.name)
        ) -%}
    {%- endfor -%}
    {%- if not names_by_clock -%}{{- return(render(argument, 'day', 'UTC')) -}}{%- endif -%}
    {%- set branches = [] -%}
    {%- for clock, names in names_by_clock.items() -%}
        {%- if names_by_clock | length == 1 -%}
            {{- return(render(argument, clock[0], clock[1])) -}}
        {%- endif -%}
        {%- do branches.append(
            "when " ~ monitor ~ " in (" ~ names | join(", ") ~ ") then "
            ~ render(argument, clock[0], clock[1])
        ) -%}
    {%- endfor -%}
    {{- return("case " ~ branches | join(" ") ~ " end") -}}
{% endmacro %}

{% macro window_index_in(timestamp, grain, timezone) %}
    {%- if grain == 'hour' -%}
        {%- set microseconds = mlmon.microseconds(timestamp) -%}
        {%- set length = '3600000000.0' -%}
    {%- else -%}
        {%- set microseconds = mlmon.microseconds(mlmon.utc_to_local(timestamp, timezone)) -%}
        {%- set length = '86400000000.0' -%}
    {%- endif -%}
    {#- Whole microseconds stay below 2^53, where this division cannot cross a window's edge. -#}
    {{- return(
        "cast(floor(cast(" ~ microseconds ~ " as " ~ mlmon.type_double() ~ ") / " ~ length
        ~ ") as bigint)"
    ) -}}
{% endmacro %}

{% macro window_start_in(index, grain, timezone) %}
    {%- set epoch = "cast('1970-01-01 00:00:00' as timestamp)" -%}
    {%- if grain == 'hour' -%}
        {{- return(mlmon.add_time(epoch, index, 'hour')) -}}
    {%- endif -%}
    {{- return(mlmon.local_to_utc(mlmon.add_time(epoch, index, 'day'), timezone)) -}}
{% endmacro %}

{# The local date of a window's start: the chart axis. #}
{% macro window_date(window_start, monitor='monitor') %}
    {{- return(mlmon.by_clock(mlmon.window_date_in, window_start, monitor)) -}}
{% endmacro %}

{% macro window_date_in(window_start, grain, timezone) %}
    {{- return("cast(" ~ mlmon.utc_to_local(window_start, timezone) ~ " as date)") -}}
{% endmacro %}

{#
    The number of the local day or hour in which a window begins: a week later it is greater by 7 days or 168 hours,
    DST or not.
#}
{% macro season_index(window_start, monitor='monitor') %}
    {{- return(mlmon.by_clock(mlmon.season_index_in, window_start, monitor)) -}}
{% endmacro %}

{% macro season_index_in(window_start, grain, timezone) %}
    {%- if grain == 'day' -%}{{- return(mlmon.window_index_in(window_start, grain, timezone)) -}}{%- endif -%}
    {{- return(mlmon.window_index_in(mlmon.utc_to_local(window_start, timezone), grain, timezone)) -}}
{% endmacro %}
