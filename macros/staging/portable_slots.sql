{# The slots as texts that are equal on every warehouse, for checksums. #}
{% macro portable_slots() %}
    {%- set expressions = [] -%}
    {%- for slot in mlmon.slot_names() -%}
        {%- do expressions.append(
            mlmon.portable_digits(slot) if slot.startswith('numeric') else slot
        ) -%}
    {%- endfor -%}
    {{- return(expressions) -}}
{% endmacro %}
