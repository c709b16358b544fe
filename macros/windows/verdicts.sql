{# Orders statuses from not judged to critical. #}
{% macro status_rank(status) %}
    {{- return(
        "cast(case " ~ status ~ " when 'ok' then 1 when 'no_reference' then 2"
        ~ " when 'insufficient_data' then 3 when 'warning' then 4 when 'critical' then 5"
        ~ " else 0 end as integer)"
    ) -}}
{% endmacro %}

{#
    Whether a value reaches a threshold, compared after rounding both to 12 significant digits in effect, so
    that no status depends on the last bit of a sum.
#}
{% macro reaches(value, threshold) %}
    {{- return(
        "(" ~ value ~ " >= " ~ threshold ~ " - abs(" ~ threshold ~ ") * 1e-12)"
    ) -}}
{% endmacro %}

{#
    Whether fewer labels have come than usual at that age: the few that came early say little. Never where no
    expectation is known.
#}
{% macro are_labels_late(relation=none) %}
    {%- set of = relation ~ '.' if relation else '' -%}
    {{- return(
        "(" ~ of ~ "expected_label_coverage is not null and not "
        ~ mlmon.reaches(of ~ 'label_coverage', '(' ~ of ~ 'expected_label_coverage - 0.05)') ~ ")"
    ) -}}
{% endmacro %}

{# A share as text: per cent. #}
{% macro percent_text(value) %}
    {{- return("case when " ~ value ~ " is null then 'none' else "
        ~ mlmon.short_number("100 * " ~ value) ~ " || ' %' end") -}}
{% endmacro %}
