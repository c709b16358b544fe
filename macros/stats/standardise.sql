{#
    z = (x - center) / scale, kept where z and z * z can be computed: |z| above 1e150 is cut there, and below
    1e-150 it is 0 (Postgres raises on overflow and on underflow). x must be finite.
#}
{% macro standardise(x, center, scale) %}
    {%- set distance = "(" ~ x ~ " / 4 - " ~ center ~ " / 4)" -%}
    {%- set quarter = "(" ~ scale ~ " / 4)" -%}
    {{- return(
        "case when abs(" ~ distance ~ ") <= 1e-150 * greatest(" ~ quarter ~ ", 1e-150) then 0.0"
        ~ " when greatest(abs(" ~ distance ~ "), 1e-150) / 1e150 > " ~ quarter
        ~ " then case when " ~ distance ~ " > 0 then 1e150 else -1e150 end"
        ~ " else " ~ distance ~ " / " ~ quarter ~ " end"
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
