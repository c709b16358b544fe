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
        {%- set near = mlmon.nearest(value, allowed) if value is string else none -%}
        {%- do mlmon.add_problem(
            problems, where, mlmon.shown(value), allowed | join(", "),
            "did you mean " ~ near ~ "?" if near else "write one of them"
        ) -%}
    {%- endif -%}
{% endmacro %}

{# A value must be a whole number (or any finite number) between `least` and `most`. #}
{% macro check_number(problems, where, value, least=none, most=none, whole=true) %}
    {%- set is_number = (value is integer or (not whole and value is float and value == value))
        and value | abs <= (9007199254740992 if whole else 1.7e308) -%}
    {%- if not is_number or (least is not none and value < least)
        or (most is not none and value > most) -%}
        {%- set bounds = [] -%}
        {%- if least is not none -%}{%- do bounds.append("at least " ~ least) -%}{%- endif -%}
        {%- if most is not none -%}{%- do bounds.append("at most " ~ most) -%}{%- endif -%}
        {%- do mlmon.add_problem(
            problems, where, mlmon.shown(value),
            ("a whole number" if whole else "a number")
            ~ (" of " ~ bounds | join(" and ") if bounds else ""),
            "write it without quotes, as 10, 0.1 or 1.0e-4" if value is string
            else "correct the number"
        ) -%}
    {%- endif -%}
{% endmacro %}

{% macro check_flag(problems, where, value) %}
    {%- if value is not boolean -%}
        {%- do mlmon.add_problem(
            problems, where, mlmon.shown(value), "true or false",
            "write true or false, without quotes"
        ) -%}
    {%- endif -%}
{% endmacro %}

{% macro check_text(problems, where, value) %}
    {%- if value is not string or not value | trim -%}
        {%- do mlmon.add_problem(
            problems, where, mlmon.shown(value), "a text", "write a text, or remove the key"
        ) -%}
    {%- endif -%}
{% endmacro %}

{# A list must have values, each a text, number or boolean. #}
{% macro check_values(problems, where, given, example) %}
    {%- if not mlmon.is_list(given) or not given
        or given | select('none') | list or given | select('mapping') | list -%}
        {%- do mlmon.add_problem(
            problems, where, mlmon.shown(given), "a list of one or more values",
            "write a list like " ~ example
        ) -%}
    {%- else -%}
        {%- set texts = mlmon.value_texts(given) -%}
        {%- for value in texts if value in mlmon.reserved_names() -%}
            {%- do mlmon.add_problem(
                problems, where, "the reserved name " ~ mlmon.shown(value),
                "any value but " ~ mlmon.reserved_names() | join(", "), "remove it"
            ) -%}
        {%- endfor -%}
        {%- if texts | unique(case_sensitive=true) | list | length < texts | length -%}
            {%- do mlmon.add_problem(
                problems, where, "a repeated value in " ~ mlmon.shown(given),
                "each value once", "remove the repeat"
            ) -%}
        {%- endif -%}
    {%- endif -%}
{% endmacro %}

{# A date of the calendar, as YAML's own date or as a text. #}
{% macro check_date(problems, where, value) %}
    {%- set parts = modules.re.fullmatch('([0-9]{4})-([0-9]{2})-([0-9]{2})', value | string) -%}
    {%- set year, month, day = (
        (parts[1] | int, parts[2] | int, parts[3] | int) if parts else (0, 0, 0)
    ) -%}
    {%- set is_leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) -%}
    {%- set lengths = [31, 29 if is_leap else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] -%}
    {%- if year < 1 or month not in range(1, 13) or day not in range(1, lengths[month - 1] + 1) -%}
        {%- do mlmon.add_problem(
            problems, where, mlmon.shown(value), "a date like 2026-01-31",
            "write a day of the calendar as year-month-day"
        ) -%}
    {%- endif -%}
{% endmacro %}

{# A time: a date, or a date and a time of day. #}
{% macro check_time(problems, where, value) %}
    {%- set text = value | string -%}
    {%- set found = [] -%}
    {%- do mlmon.check_date(found, where, text[:10]) -%}
    {%- if found or not modules.re.fullmatch(
        '.{10}([ T]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.][0-9]{1,6})?)?)?', text
    ) -%}
        {%- do mlmon.add_problem(
            problems, where, mlmon.shown(value), "a time in UTC like 2026-01-31 or 2026-01-31 18:30:00",
            "write a day of the calendar as year-month-day, and after it hours and minutes"
        ) -%}
    {%- endif -%}
{% endmacro %}

{# A relation: {source: [source, table]}, {ref: model} or {ref: [project, model]}. #}
{% macro check_relation(problems, where, given) %}
    {%- set form = "{source: [source, table]}, {ref: model} or {ref: [project, model]}" -%}
    {%- if mlmon.is_relation(given) -%}
    {%- elif given is not mapping -%}
        {%- do mlmon.add_problem(
            problems, where, mlmon.shown(given), form,
            "declare the table as a source or a model and name it here"
        ) -%}
    {%- elif given | length != 1 or (given.keys() | first) not in ('source', 'ref') -%}
        {%- do mlmon.add_problem(
            problems, where, "the keys " ~ given.keys() | join(", ") if given else "no keys", form,
            "keep one of source and ref"
        ) -%}
    {%- else -%}
        {%- set key = given.keys() | first -%}
        {%- do mlmon.add_problem(
            problems, where ~ "." ~ key, mlmon.shown(given[key]),
            "[source, table]" if key == 'source' else "model or [project, model]",
            "give the name of the source and of its table" if key == 'source'
            else "give the name of the model"
        ) -%}
    {%- endif -%}
{% endmacro %}
