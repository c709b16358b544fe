{#
    A category without what makes spellings of one thing differ: case, spaces of any kind, and how an accented letter is
    written (one character or two). What case means beyond ASCII is the warehouse's own matter.
#}
{% macro plain_spelling(text) %}
    {{- return(
        "lower(regexp_replace(translate(" ~ mlmon.composed_text(text)
        ~ ", chr(160) || chr(8203) || chr(65279), '   '), '[[:space:]]', '', 'g'))"
    ) -}}
{% endmacro %}

{# Unicode's composed form (NFC), where the warehouse has it. #}
{% macro composed_text(text) %}
    {{- return(adapter.dispatch('composed_text', 'mlmon')(text)) -}}
{% endmacro %}

{% macro default__composed_text(text) %}{{- return(text) -}}{% endmacro %}

{% macro duckdb__composed_text(text) %}{{- return("nfc_normalize(" ~ text ~ ")") -}}{% endmacro %}

{% macro postgres__composed_text(text) %}{{- return("normalize(" ~ text ~ ", nfc)") -}}{% endmacro %}

{% macro redshift__composed_text(text) %}{{- return(text) -}}{% endmacro %}
