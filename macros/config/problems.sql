{# Adds one problem of the configuration, in the one form users see: where, what was found, what is allowed, the fix. #}
{% macro add_problem(problems, where, found, allowed, fix) %}
    {%- do problems.append(
        where ~ ": found " ~ found ~ "; allowed: " ~ allowed ~ "; fix: " ~ fix
    ) -%}
{% endmacro %}

{# Stops dbt with all the problems at once. #}
{% macro raise_problems(what, problems) %}
    {%- do exceptions.raise_compiler_error(
        "mlmon " ~ what ~ " (" ~ problems | length ~ " problem"
        ~ ("s" if problems | length > 1 else "") ~ "):\n  " ~ problems | join("\n  ")
    ) -%}
{% endmacro %}

{# A value as the user wrote it, cut where it is long. #}
{% macro shown(value) %}
    {%- if value is none -%}{{- return("nothing") -}}{%- endif -%}
    {%- if value is boolean -%}{{- return("true" if value else "false") -}}{%- endif -%}
    {%- set text = "'" ~ value ~ "'" if value is string else value | string -%}
    {{- return(text if text | length <= 80 else text[:77] ~ "...") -}}
{% endmacro %}

{#
    How much two words have in common, from 0 to 1: the mean of the shares of common letters and of common
    pairs of letters. The first forgives swapped letters, the second keeps anagrams apart.
#}
{% macro likeness(word, candidate) %}
    {%- set shares = [] -%}
    {%- for size in (1, 2) -%}
        {%- set parts = [[], []] -%}
        {%- for text in (word | string | lower, candidate | string | lower) -%}
            {%- set which = loop.index0 -%}
            {%- for start in range(text | length - size + 1) -%}
                {%- do parts[which].append(text[start:start + size]) -%}
            {%- endfor -%}
        {%- endfor -%}
        {%- set common = parts[0] | unique | select('in', parts[1]) | list | length -%}
        {%- set most = [parts[0] | unique | list | length, parts[1] | unique | list | length, 1] | max -%}
        {%- do shares.append(common / most) -%}
    {%- endfor -%}
    {{- return((shares[0] + shares[1]) / 2) -}}
{% endmacro %}

{# The allowed word most like a mistyped one, none where nothing is near. #}
{% macro nearest(word, allowed) %}
    {%- set best = namespace(word=none, likeness=0.5) -%}
    {%- for candidate in allowed -%}
        {%- set likeness = mlmon.likeness(word, candidate) -%}
        {%- if likeness > best.likeness -%}
            {%- set best.word = candidate -%}{%- set best.likeness = likeness -%}
        {%- endif -%}
    {%- endfor -%}
    {{- return(best.word) -}}
{% endmacro %}
