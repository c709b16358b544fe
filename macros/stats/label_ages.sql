{#
    Whether a row of int_mlmon__labelled_predictions holds the label that counts at an age in days: it is there by then, and no
    newer one is. NULL days are `latest`: the label that none has taken the place of.
#}
{% macro counts_at_age(labelled, days) %}
    {%- set age = "(" ~ days ~ " * 86400000000)" -%}
    {{- return(
        "case when " ~ days ~ " is null then " ~ labelled ~ ".valid_to_microseconds is null else "
        ~ labelled ~ ".valid_from_microseconds <= " ~ age ~ " and coalesce(" ~ labelled
        ~ ".valid_to_microseconds > " ~ age ~ ", true) end"
    ) -}}
{% endmacro %}

{#
    The label ages of all monitors by number: one row per monitor with age_1, age_1_days, age_2, …; `latest` has no days, and a monitor with fewer ages none of the rest.
#}
{% macro numbered_label_ages() %}
    {%- set rows = [] -%}
    {%- set types = {'monitor': 'text'} -%}
    {%- for number in mlmon.label_age_numbers() -%}
        {%- do types.update({'age_' ~ number: 'text', 'age_' ~ number ~ '_days': 'bigint'}) -%}
    {%- endfor -%}
    {%- for m in mlmon.monitors() if m.labels is not none -%}
        {%- set row = {'monitor': m.name, 'age_1': 'latest'} -%}
        {%- for days in m.label_ages_days -%}
            {%- do row.update({
                'age_' ~ (loop.index + 1): days ~ 'd', 'age_' ~ (loop.index + 1) ~ '_days': days,
            }) -%}
        {%- endfor -%}
        {%- do rows.append(row) -%}
    {%- endfor -%}
    {{- return(mlmon.settings_relation(types, rows)) -}}
{% endmacro %}

{# Their numbers: 1 is `latest`. #}
{% macro label_age_numbers() %}
    {%- set counts = [0] -%}
    {%- for m in mlmon.monitors() if m.labels is not none -%}
        {%- do counts.append(m.label_ages_days | length) -%}
    {%- endfor -%}
    {{- return(range(1, (counts | max) + 2) | list) -}}
{% endmacro %}

{# The least label age, in days, that is no younger than a time after the prediction; NULL is `latest`. #}
{% macro first_age_from(microseconds, ages) %}
    {%- set branches = [] -%}
    {%- for number in mlmon.label_age_numbers() if number > 1 -%}
        {%- set days = ages ~ ".age_" ~ number ~ "_days" -%}
        {%- do branches.append("when " ~ microseconds ~ " <= " ~ days ~ " * 86400000000 then " ~ days) -%}
    {%- endfor -%}
    {{- return("case " ~ branches | join(" ") ~ " end" if branches else "cast(null as bigint)") -}}
{% endmacro %}

{#
    Whether a row of int_mlmon__label_counts is part of what counts at an age in days; NULL days are `latest`, of which all rows
    are.
#}
{% macro counts_by_age(counts, days) %}
    {{- return("(" ~ days ~ " is null or " ~ counts ~ ".label_age_days <= " ~ days ~ ")") -}}
{% endmacro %}
