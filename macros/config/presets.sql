{#
    Whether anything computes another tool's numbers here: some column has a preset, and the warehouse runs the
    Python model that knows them. What only that model reads is built where this is true.
#}
{% macro computes_presets() %}
    {{- return(mlmon.has_python_models() and mlmon.preset_slots() != {}) -}}
{% endmacro %}

{# The slots of columns with a preset, by kind: {'numeric_1': 'numeric'}. #}
{% macro preset_slots() %}
    {%- set slots = {} -%}
    {%- for m in mlmon.monitors() -%}
        {%- for column in m.monitored if column.preset and column.role != 'label' -%}
            {%- do slots.update({column.slot: column.kind}) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{- return(slots) -}}
{% endmacro %}
