{# Fairness: the segments of a binary monitor between whose values decisions and errors are compared. #}
{% macro check_fairness(problems, where, given) %}
    {%- set asked = given.get('fairness') -%}
    {%- set segments = given.get('segments') -%}
    {%- set names = [] -%}
    {%- for segment in (segments if mlmon.is_list(segments) else []) -%}
        {%- do names.append(segment.get('name') if segment is mapping else segment) -%}
    {%- endfor -%}
    {%- if asked is not none and not mlmon.is_list(asked) -%}
        {%- do mlmon.add_problem(
            problems, where, mlmon.shown(asked), "a list of segments", "write a list like [region]"
        ) -%}
    {%- elif asked and mlmon.other_task(given, ['binary']) -%}
        {%- do mlmon.add_problem(
            problems, where, "fairness on a " ~ given['task'] ~ " monitor", "binary monitors only",
            "remove it"
        ) -%}
    {%- else -%}
        {%- for name in asked or [] if name not in names -%}
            {%- set near = mlmon.nearest(name, names) -%}
            {%- do mlmon.add_problem(
                problems, where, mlmon.shown(name),
                "segments of the monitor: " ~ (names | join(", ") if names else "none"),
                "did you mean " ~ near ~ "?" if near else "name it under `segments`, too"
            ) -%}
        {%- endfor -%}
    {%- endif -%}
{% endmacro %}

{# One row per monitor and segment whose groups are compared. #}
{% macro fairness_settings() %}
    {%- set rows = [] -%}
    {%- for m in mlmon.monitors() if m.labels is not none -%}
        {%- for name in m.fairness | unique -%}
            {%- do rows.append({'monitor': m.name, 'segment_name': name}) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{- return(mlmon.settings_relation({'monitor': 'text', 'segment_name': 'text'}, rows)) -}}
{% endmacro %}
