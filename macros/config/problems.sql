{# Adds one problem of the configuration, in the one form users see: where, what was found, what is allowed, the fix. #}
{% macro add_problem(problems, where, found, allowed, fix) %}
    {%- do problems.append(
        where ~ ": found " ~ found ~ "; allowed: " ~ allowed ~ "; fix: " ~ fix
    ) -%}
{% endmacro %}

{# A value as the user wrote it. #}
{% macro shown(value) %}
    {%- if value is none -%}{{- return("nothing (~)") -}}{%- endif -%}
    {%- if value is string -%}{{- return("'" ~ value ~ "'") -}}{%- endif -%}
    {{- return(value | string) -}}
{% endmacro %}

{# The allowed word that shares the most letters with a mistyped one, '' where none is near. #}
{% macro nearest(word, allowed) %}
    {%- set best = namespace(word='', score=0) -%}
    {%- for candidate in allowed -%}
        {%- set common = namespace(n=0) -%}
        {%- for letter in (candidate | string) | list | unique -%}
            {%- if letter in (word | string) -%}{%- set common.n = common.n + 1 -%}{%- endif -%}
        {%- endfor -%}
        {%- set size = [(candidate | string) | list | unique | list | length,
            (word | string) | list | unique | list | length] | max -%}
        {%- set length_gap = (candidate | string) | length - (word | string) | length -%}
        {%- set score = common.n / size - 0.05 * (length_gap | abs) -%}
        {%- if score > best.score -%}
            {%- set best.word = candidate -%}{%- set best.score = score -%}
        {%- endif -%}
    {%- endfor -%}
    {{- return(best.word if best.score >= 0.6 else '') -}}
{% endmacro %}

{# Every key of a mapping must be one of the allowed. #}
{% macro check_keys(problems, where, given, allowed) %}
    {%- for key in given if key not in allowed -%}
        {%- set near = mlmon.nearest(key, allowed) -%}
        {%- do mlmon.add_problem(
            problems, where ~ "." ~ key, "an unknown key", allowed | join(", "),
            "did you mean " ~ near ~ "?" if near else "remove it"
        ) -%}
    {%- endfor -%}
{% endmacro %}

{# A value must be one of a list of words. #}
{% macro check_choice(problems, where, value, allowed) %}
    {%- if value not in allowed -%}
        {%- set near = mlmon.nearest(value, allowed) -%}
        {%- do mlmon.add_problem(
            problems, where, mlmon.shown(value), allowed | join(", "),
            "did you mean " ~ near ~ "?" if near else "write one of them"
        ) -%}
    {%- endif -%}
{% endmacro %}

{# A value must be a whole number (or any number) of at least `least`. #}
{% macro check_number(problems, where, value, least, whole=true, most=none) %}
    {%- set is_right = (value is integer or (not whole and value is float)) and value is not boolean -%}
    {%- if not is_right or value < least or (most is not none and value > most) -%}
        {%- do mlmon.add_problem(
            problems, where, mlmon.shown(value),
            ("a whole number" if whole else "a number") ~ " of at least " ~ least
            ~ (" and at most " ~ most if most is not none else ""),
            "write such a number without quotes"
        ) -%}
    {%- endif -%}
{% endmacro %}

{# A relation: {source: [schema, table]}, {ref: model} or {ref: [project, model]}. #}
{% macro check_relation(problems, where, given, extra={}) %}
    {%- set form = "{source: [source, table]} or {ref: model} or {ref: [project, model]}" -%}
    {%- set fix = "declare the table as a source or model and name it here" -%}
    {%- if given is not mapping -%}
        {%- do mlmon.add_problem(problems, where, mlmon.shown(given), form, fix) -%}
    {%- elif given.keys() | list | length != 1 or (given.keys() | first) not in ('source', 'ref') -%}
        {%- do mlmon.add_problem(
            problems, where, "the keys " ~ given.keys() | join(", "), form,
            "keep one of source and ref"
        ) -%}
    {%- elif 'source' in given and (
        given['source'] is string or given['source'] is not sequence or given['source'] | length != 2
    ) -%}
        {%- do mlmon.add_problem(
            problems, where ~ ".source", mlmon.shown(given['source']), "[source, table]",
            "give the name of the source and of its table"
        ) -%}
    {%- elif 'ref' in given and given['ref'] is not string and (
        given['ref'] is not sequence or given['ref'] | length not in (1, 2)
    ) -%}
        {%- do mlmon.add_problem(
            problems, where ~ ".ref", mlmon.shown(given['ref']), "model or [project, model]",
            "give the name of the model"
        ) -%}
    {%- endif -%}
{% endmacro %}
