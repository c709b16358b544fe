{#
    A category without what makes spellings of one thing differ: case, spaces of any kind, and how an accented letter is
    written (one character or two). What case means beyond ASCII is the warehouse's own matter.
#}
{% macro plain_spelling(text) %}
    {%- set plain = namespace(text=mlmon.composed_text(text)) -%}
    {#- Tab, ends of line, space; then the spaces that nobody sees: no-break, zero-width, byte-order mark. -#}
    {%- for code in [9, 10, 13, 32, 160, 8203, 65279] -%}
        {%- set plain.text = "replace(" ~ plain.text ~ ", chr(" ~ code ~ "), '')" -%}
    {%- endfor -%}
    {{- return("lower(" ~ plain.text ~ ")") -}}
{% endmacro %}

{# Unicode's composed form (NFC), where the warehouse has it. #}
{% macro composed_text(text) %}
    {{- return(adapter.dispatch('composed_text', 'mlmon')(text)) -}}
{% endmacro %}

{% macro default__composed_text(text) %}{{- return(text) -}}{% endmacro %}

{% macro duckdb__composed_text(text) %}{{- return("nfc_normalize(" ~ text ~ ")") -}}{% endmacro %}

{% macro postgres__composed_text(text) %}{{- return("normalize(" ~ text ~ ", nfc)") -}}{% endmacro %}

{% macro redshift__composed_text(text) %}{{- return(text) -}}{% endmacro %}
