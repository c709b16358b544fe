{# The columns of the log that are compared by rank or for a preset, and the segments they are compared in. #}
{% macro ranked_columns(relation='logged') %}
    {%- set names = ['prediction_value', 'score'] -%}
    {%- for slot in mlmon.slot_names() if not slot.startswith('category') -%}
        {%- do names.append(slot) -%}
    {%- endfor -%}
    {{- return(mlmon.qualified(relation, names + mlmon.preset_slots_of('categorical'))) -}}
{% endmacro %}
