{#
    The relation of a shipped seed, or the consumer's own in its place: mlmon_seeds:
    {alert_rules: {ref: [my_project, my_rules]}}, or {source: [my_source, my_table]}.
#}
{% macro seed_relation(name) %}
    {%- set replacements = var('mlmon_seeds', {}) or {} -%}
    {%- if replacements is not mapping -%}{%- do mlmon.check_configuration() -%}{%- endif -%}
    {%- set replacement = replacements.get(name) -%}
    {%- if replacement is none -%}
        {{- return(ref('mlmon', name)) -}}
    {%- endif -%}
    {%- if replacement is mapping and replacement | length == 1 -%}
        {%- if replacement.ref is string -%}
            {{- return(ref(replacement.ref)) -}}
        {%- endif -%}
        {%- if replacement.ref -%}{{- return(ref(*replacement.ref)) -}}{%- endif -%}
        {%- if replacement.source and replacement.source is not string
            and replacement.source | length == 2 -%}
            {{- return(source(*replacement.source)) -}}
        {%- endif -%}
    {%- endif -%}
    {{- exceptions.raise_compiler_error(
        "mlmon_seeds." ~ name ~ ": found " ~ (replacement | string)
        ~ "; allowed: {ref: my_model}, {ref: [my_project, my_model]} or"
        ~ " {source: [my_source, my_table]}; fix: give the relation in such a form."
    ) -}}
{% endmacro %}
