{#
    The 32-bit prefix of md5 over some texts, as a number: the same on every warehouse, for ids that must
    agree between them. Doubles are never hashed as text (each warehouse prints them differently): a
    number enters through portable_digits.
#}
{% macro portable_checksum(expressions) %}
    {{- return(adapter.dispatch('portable_checksum', 'mlmon')(mlmon.joined_text(expressions))) -}}
{% endmacro %}

{% macro default__portable_checksum(text) %}
    {{- return("cast(conv(substr(md5(" ~ text ~ "), 1, 8), 16, 10) as bigint)") -}}
{% endmacro %}

{% macro postgres__portable_checksum(text) %}
    {{- return("cast(cast(('x' || substr(md5(" ~ text ~ "), 1, 8)) as bit(32)) as bigint)") -}}
{% endmacro %}

{% macro duckdb__portable_checksum(text) %}
    {{- return("cast(('0x' || substr(md5(" ~ text ~ "), 1, 8)) as bigint)") -}}
{% endmacro %}

{#
    A double as whole-number digits: scaled by a power of two (exact) and cut (exact), so the same bits give
    the same digits everywhere. Differences below about 1e-6 of small numbers,
    and some beyond 1e36, are not told apart.
#}
{% macro portable_digits(x) %}
    {%- set high = "floor(" ~ x ~ " / 1152921504606846976.0)" -%}
    {{- return(
        "case when " ~ x ~ " is null then null"
        ~ " when not (" ~ x ~ " - " ~ x ~ " = 0) then 9223372036854775807"
        ~ " when abs(" ~ x ~ ") < 1e-6 then cast(floor(" ~ x ~ " * 1152921504606846976.0) as bigint)"
        ~ " when abs(" ~ x ~ ") < 1e12 then cast(floor(" ~ x ~ " * 1048576.0) as bigint)"
        ~ " when abs(" ~ x ~ ") < 9e18 then cast(floor(" ~ x ~ ") as bigint)"
        ~ " when abs(" ~ x ~ ") < 1e36 then cast(" ~ high ~ " + (" ~ x ~ " / 1152921504606846976.0 - "
        ~ high ~ ") * 1152921504606846976.0 as bigint)"
        ~ " else cast(floor(" ~ x ~ " / 1e292) as bigint) end"
    ) -}}
{% endmacro %}
