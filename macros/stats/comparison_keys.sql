{# What one comparison of a column is identified by: a window end, a span, a segment and the column. #}
{% macro comparison_keys() %}
    {{- return(['window_key', 'span_windows', 'segment_name', 'segment_value', 'column_name']) -}}
{% endmacro %}

{# The join of two relations on one comparison. #}
{% macro same_comparison(one, other) %}
    {%- set equalities = [] -%}
    {%- for key in mlmon.comparison_keys() -%}
        {%- do equalities.append(one ~ "." ~ key ~ " = " ~ other ~ "." ~ key) -%}
    {%- endfor -%}
    {{- return(equalities | join(" and ")) -}}
{% endmacro %}

{# Columns of one relation, as a list for a select or a group. #}
{% macro qualified(relation, columns) %}
    {%- set names = [] -%}
    {%- for column in columns -%}{%- do names.append(relation ~ "." ~ column) -%}{%- endfor -%}
    {{- return(names | join(", ")) -}}
{% endmacro %}
