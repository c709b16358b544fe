{#
    row_hash: a whole-number hash of some columns of a row, for finding equal rows within one run.
    row_checksum: a hash small enough to be summed exactly over any number of rows, so that the sum does
    not depend on their order. It must be stable from run to run, not equal between warehouses.
    Both take SQL expressions; NULLs count as a value of their own.
#}
{% macro row_hash(expressions) %}
    {{- return(adapter.dispatch('row_hash', 'mlmon')(expressions)) -}}
{% endmacro %}

{% macro row_checksum(expressions) %}
    {{- return(adapter.dispatch('row_checksum', 'mlmon')(expressions)) -}}
{% endmacro %}

{% macro joined_text(expressions) %}
    {%- set parts = [] -%}
    {%- for expression in expressions -%}
        {%- do parts.append("coalesce(cast(" ~ expression ~ " as " ~ dbt.type_string() ~ "), '~')") -%}
    {%- endfor -%}
    {{- return(parts | join(" || '|' || ")) -}}
{% endmacro %}

{% macro default__row_hash(expressions) %}
    {{- return("md5(" ~ mlmon.joined_text(expressions) ~ ")") -}}
{% endmacro %}

{% macro duckdb__row_hash(expressions) %}
    {{- return("hash(" ~ expressions | join(", ") ~ ")") -}}
{% endmacro %}

{% macro postgres__row_hash(expressions) %}
    {{- return("hashtextextended(" ~ mlmon.joined_text(expressions) ~ ", 0)") -}}
{% endmacro %}

{% macro duckdb__row_checksum(expressions) %}
    {{- return("cast(hash(" ~ expressions | join(", ") ~ ") >> 32 as bigint)") -}}
{% endmacro %}

{% macro postgres__row_checksum(expressions) %}
    {{- return("(hashtextextended(" ~ mlmon.joined_text(expressions) ~ ", 0) & 4294967295)") -}}
{% endmacro %}

{% macro default__row_checksum(expressions) %}
    {{- return("cast(conv(substr(md5(" ~ mlmon.joined_text(expressions) ~ "), 1, 8), 16, 10) as bigint)") -}}
{% endmacro %}

{#
    The checksum of the ledger. Where a stretch of a log serves as a reference, or moves, its ids are made from it
    and must agree between warehouses; else the warehouse's own hash, several times cheaper, does.
#}
{% macro ledger_checksum(expressions) %}
    {%- if mlmon.monitors() | rejectattr('reference.kind', 'in', ['table', 'none']) | list
        or mlmon.monitors() | rejectattr('reference.compared_with', 'equalto', 'reference') | list -%}
        {{- return(mlmon.portable_checksum(expressions)) -}}
    {%- endif -%}
    {{- return(mlmon.row_checksum(expressions)) -}}
{% endmacro %}
