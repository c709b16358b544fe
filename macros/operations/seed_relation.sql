{#
    The relation of a shipped seed, or the consumer's own in its place: mlmon_seeds:
    {alert_rules: {ref: [my_project, my_rules]}}, or {source: [my_source, my_table]}.
    Of a kind that no seed is shipped for the reader names the columns, all text: where the consumer gives none, there is no row.
#}
{% macro seed_relation(name, columns=none) %}
    {%- set replacements = var('mlmon_seeds', {}) or {} -%}
    {%- if replacements is not mapping -%}{%- do mlmon.check_configuration() -%}{%- endif -%}
    {%- set replacement = replacements.get(name) -%}
    {%- if replacement is none and columns -%}
        {{- return("(" ~ mlmon.settings_relation(dict.fromkeys(columns, 'text'), []) ~ ")") -}}
    {%- endif -%}
    {%- if replacement is none -%}
        {%- do mlmon.require_seed(builtins.ref('mlmon', name)) -%}
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

{#
    Says what to do where a shipped seed was never loaded, in place of the warehouse's own error. dbt knows without a query
    which relations there are. Only before a model is built: compiling needs no seed, and a unit test gives its own rows.
#}
{% macro require_seed(shipped) %}
    {%- if execute and flags.WHICH in ('run', 'build') and model.resource_type == 'model'
        and not adapter.get_relation(shipped.database, shipped.schema, shipped.identifier) -%}
        {{- exceptions.raise_compiler_error(
            "seed " ~ shipped.identifier ~ ": found no such table in the schema " ~ shipped.schema
            ~ "; fix: run `dbt build`, which loads the seeds, or `dbt seed` before `dbt run`."
        ) -}}
    {%- endif -%}
{% endmacro %}
