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
    that no status hangs on the last bit of a sum.
#}
{% macro reaches(value, threshold) %}
    {{- return(
        "(" ~ value ~ " >= " ~ threshold ~ " - abs(" ~ threshold ~ ") * 1e-12)"
    ) -}}
{% endmacro %}

{# A double as text for sentences: four decimals at most, the same on every warehouse. #}
{% macro number_text(value) %}
    {{- return(
        "coalesce(cast(cast(" ~ value ~ " as decimal(28, 4)) as " ~ dbt.type_string() ~ "), 'none')"
    ) -}}
{% endmacro %}

{# A share as text: per cent with one decimal. #}
{% macro percent_text(value) %}
    {{- return(
        "coalesce(cast(cast(100 * " ~ value ~ " as decimal(28, 1)) as " ~ dbt.type_string()
        ~ ") || ' %', 'none')"
    ) -}}
{% endmacro %}
