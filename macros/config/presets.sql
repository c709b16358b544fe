{#
    Whether anything computes another tool's numbers here: some column has a preset, and the warehouse runs the
    Python model that knows them.
#}
{% macro computes_presets() %}
    {{- return(mlmon.has_python_models() and mlmon.is_asked_for('presets')) -}}
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

{# Those of a kind whose values are read here, in order; none where nothing is computed. #}
{% macro preset_slots_of(kind) %}
    {%- set slots = [] -%}
    {%- for slot, slot_kind in mlmon.preset_slots().items()
        if slot_kind == kind and mlmon.has_python_models() -%}
        {%- do slots.append(slot) -%}
    {%- endfor -%}
    {{- return(slots) -}}
{% endmacro %}

{# All of them by number: in SQL the number stands for the column, so that one read of a log counts them. #}
{% macro numbered_preset_slots() %}
    {%- set numbered = {} -%}
    {%- for slot in mlmon.preset_slots_of('numeric') + mlmon.preset_slots_of('categorical') -%}
        {%- do numbered.update({loop.index: slot}) -%}
    {%- endfor -%}
    {{- return(numbered) -}}
{% endmacro %}

{# The row's value of the slot with that number, where the slot is of the kind; else NULL. #}
{% macro preset_value(number, kind) %}
    {%- set of_kind = mlmon.preset_slots_of(kind) -%}
    {%- set slots = {} -%}
    {%- for value, slot in mlmon.numbered_preset_slots().items() if slot in of_kind -%}
        {%- do slots.update({value: slot}) -%}
    {%- endfor -%}
    {%- if slots -%}{{- return(mlmon.slot_value(number, slots)) -}}{%- endif -%}
    {%- set type_name = mlmon.type_double() if kind == 'numeric' else dbt.type_string() -%}
    {{- return("cast(null as " ~ type_name ~ ")") -}}
{% endmacro %}
