{#
    Buckets are categories by a hash of their text: whatever a sample holds, seen before or not, has a bucket that the
    reference did not choose. Two spellings of one category share a bucket once in 32 times and hide each other there,
    so there are two hashings: one by the last five bits of a checksum, one by the five before them. Columns of which
    the reference saw some category but once are counted by all ten bits, as their cell; missing values have cell -1.
#}
{% macro buckets_a_column() %}{{- return(32) -}}{% endmacro %}

{% macro bucket_hashings() %}{{- return([1, 2]) -}}{% endmacro %}

{% macro category_cell(category) %}
    {{- return(
        "case when " ~ category ~ " is null then -1 else mod("
        ~ mlmon.portable_checksum([category]) ~ ", " ~ mlmon.buckets_a_column() * mlmon.buckets_a_column() ~ ") end"
    ) -}}
{% endmacro %}

{# The bucket of a cell by one of the hashings. #}
{% macro bucket_of(cell, hashing) %}
    {%- set n = mlmon.buckets_a_column() -%}
    {%- set last_bits = "mod(" ~ cell ~ ", " ~ n ~ ")" -%}
    {{- return(
        "cast(case when " ~ cell ~ " = -1 then -1 when " ~ hashing ~ " = 1 then " ~ last_bits
        ~ " else (" ~ cell ~ " - " ~ last_bits ~ ") / " ~ n ~ " end as bigint)"
    ) -}}
{% endmacro %}
