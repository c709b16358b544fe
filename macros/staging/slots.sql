{#
    One shape for every log: features travel in numbered slots (numeric_1, category_1, segment_1), as many
    as the widest monitor needs. dim_mlmon__columns says which column is in which slot.
#}
{% macro slot_names() %}
    {%- set counts = mlmon.slot_counts() -%}
    {%- set names = [] -%}
    {%- for kind in ['segment', 'numeric', 'category'] -%}
        {%- for number in range(1, counts[kind] + 1) -%}
            {%- do names.append(kind ~ '_' ~ number) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{- return(names) -}}
{% endmacro %}

{% macro slot_columns(m, log) %}
    {%- set columns_by_slot = {} -%}
    {%- for item in m.segments + m.features -%}
        {%- do columns_by_slot.update({item.slot: item.column}) -%}
    {%- endfor -%}
    {%- for slot in mlmon.slot_names() %}
    {{ mlmon.as_double(log, columns_by_slot.get(slot)) if slot.startswith('numeric')
        else mlmon.as_text(log, columns_by_slot.get(slot)) }} as {{ slot }}
    {%- if not loop.last %},{% endif %}
    {%- endfor %}
{%- endmacro %}

{% macro empty_slot_columns() %}
    {%- for slot in mlmon.slot_names() %}
    cast(null as {{ mlmon.type_double() if slot.startswith('numeric') else dbt.type_string() }})
        as {{ slot }}
    {%- if not loop.last %},{% endif %}
    {%- endfor %}
{%- endmacro %}
