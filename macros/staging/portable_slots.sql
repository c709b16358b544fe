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

{% macro portable_class_scores() %}
    {%- set expressions = [] -%}
    {%- for slot in mlmon.class_score_slots() -%}
        {%- do expressions.append(mlmon.portable_digits(slot)) -%}
    {%- endfor -%}
    {{- return(expressions) -}}
{% endmacro %}
