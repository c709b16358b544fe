{# The missing share now less that of the reference, over all bins of a comparison. #}
{% macro missing_change() %}
    {%- set double = mlmon.type_double() -%}
    {%- set shares = [] -%}
    {%- for side in ['current_count', 'reference_count'] -%}
        {%- do shares.append(
            "cast(sum(case when bin_kind = 'missing' then " ~ side ~ " else 0 end) as " ~ double
            ~ ") / nullif(sum(" ~ side ~ "), 0)"
        ) -%}
    {%- endfor -%}
    {{- return(shares | join(" - ")) -}}
{% endmacro %}

{# The standard deviation of all values, which for equal ones is 0 and never the root of a rounding error. #}
{% macro population_stddev(x) %}
    {{- return("case when min(" ~ x ~ ") = max(" ~ x ~ ") then 0 else stddev_pop(" ~ x ~ ") end") -}}
{% endmacro %}
