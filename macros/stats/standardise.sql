{#
    z = (x - center) / scale of a finite x, NULL where |z| exceeds 1e150 and its square could not be summed
    (those are counted as n_clamped). Postgres raises on overflow and underflow, so there the division is only
    done where its result can be held.
#}
{% macro standardise(x, center, scale) %}
    {{- return(adapter.dispatch('standardise', 'mlmon')(x, center, scale)) -}}
{% endmacro %}

{% macro default__standardise(x, center, scale) %}
    {%- set z = "(" ~ x ~ " - " ~ center ~ ") / " ~ scale -%}
    {{- return("case when abs(" ~ z ~ ") < 1e150 then " ~ z ~ " end") -}}
{% endmacro %}

{% macro postgres__standardise(x, center, scale) %}
    {%- set distance = "(" ~ x ~ " / 4 - " ~ center ~ " / 4)" -%}
    {%- set quarter = "(" ~ scale ~ " / 4)" -%}
    {{- return(
        "case when abs(" ~ distance ~ ") <= 1e-150 * greatest(" ~ quarter ~ ", 1e-150) then 0.0"
        ~ " when greatest(abs(" ~ distance ~ "), 1e-150) / 1e150 < " ~ quarter
        ~ " then " ~ distance ~ " / " ~ quarter ~ " end"
    ) -}}
{% endmacro %}

{# A quarter of the smallest scale a column may have; a constant reference would have none. #}
{% macro smallest_scale() %}{{- return('1e-300') -}}{% endmacro %}

{# Back from z to x, NULL where the result is no finite number. #}
{% macro unscaled(z, scale, center) %}
    {{- return(
        "case when abs(" ~ z ~ ") < 1e150 and " ~ scale ~ " < 1e150 / greatest(abs(" ~ z
        ~ "), 1) * 1e150 then case when abs(" ~ z ~ ") < 1e-150 then 0.0 else " ~ z ~ " * " ~ scale
        ~ " end + " ~ center ~ " end"
    ) -}}
{% endmacro %}
