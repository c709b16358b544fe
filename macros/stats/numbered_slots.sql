{#
    The slots of a kind that any monitored column uses, by a number: {1: 'numeric_1', 2: 'score'}. In SQL the number
    stands for the column, so that one read of a log counts all of them.
#}
{% macro numbered_slots(kind) %}
    {%- set numbered = {} -%}
    {%- for slot in mlmon.monitored_slots(kind) -%}
        {%- do numbered.update({loop.index: slot}) -%}
    {%- endfor -%}
    {{- return(numbered) -}}
{% endmacro %}

{# The numbered numeric slots by the most edges that any monitor's column in them can have. #}
{% macro numeric_slots_by_edges() %}
    {%- set edges = {} -%}
    {%- for m in mlmon.monitors() -%}
        {%- for column in m.monitored if column.kind == 'numeric' and column.role != 'label' -%}
            {%- do edges.update({column.slot: [edges.get(column.slot, 1), column.bins.k] | max}) -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- set slots_by_edges = {} -%}
    {%- for number, slot in mlmon.numbered_slots('numeric').items() -%}
        {%- do slots_by_edges.setdefault(edges[slot], {}).update({number: slot}) -%}
    {%- endfor -%}
    {{- return(slots_by_edges) -}}
{% endmacro %}

{# The list that every row meets when it is counted: each of the slots, once a segment column. #}
{% macro slots_to_count(slots) %}
    {%- set rows = [] -%}
    {%- for position in range(1, [mlmon.slot_counts()['segment'], 1] | max + 1) -%}
        {%- for number in slots -%}
            {%- do rows.append({'segment_position': position, 'slot_number': number}) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{- return(mlmon.settings_relation(
        {'segment_position': 'bigint', 'slot_number': 'bigint'}, rows
    )) -}}
{% endmacro %}

{# The row's value of the slot with that number. #}
{% macro slot_value(number, slots) %}
    {%- set branches = [] -%}
    {%- for value, slot in slots.items() -%}
        {%- do branches.append("when " ~ value ~ " then " ~ slot) -%}
    {%- endfor -%}
    {{- return("case " ~ number ~ " " ~ branches | join(" ") ~ " end") -}}
{% endmacro %}

{# The name of the slot with that number. #}
{% macro slot_name(number, slots) %}
    {%- set branches = [] -%}
    {%- for value, slot in slots.items() -%}
        {%- do branches.append("when " ~ value ~ " then '" ~ slot ~ "'") -%}
    {%- endfor -%}
    {{- return("cast(case " ~ number ~ " " ~ branches | join(" ") ~ " end as " ~ dbt.type_string() ~ ")") -}}
{% endmacro %}

{# The number of a slot that is named in SQL. #}
{% macro slot_number(slot, slots) %}
    {%- set branches = [] -%}
    {%- for value, name in slots.items() -%}
        {%- do branches.append("when '" ~ name ~ "' then " ~ value) -%}
    {%- endfor -%}
    {{- return(
        "cast(" ~ ("case " ~ slot ~ " " ~ branches | join(" ") ~ " end" if branches else "null")
        ~ " as bigint)"
    ) -}}
{% endmacro %}

{# The row's value of the segment column at that position; NULL where no monitor has segments. #}
{% macro segment_at(position) %}
    {%- set branches = [] -%}
    {%- for number in range(1, mlmon.slot_counts()['segment'] + 1) -%}
        {%- do branches.append("when " ~ number ~ " then segment_" ~ number) -%}
    {%- endfor -%}
    {%- if not branches -%}{{- return("cast(null as " ~ dbt.type_string() ~ ")") -}}{%- endif -%}
    {{- return("case " ~ position ~ " " ~ branches | join(" ") ~ " end") -}}
{% endmacro %}

{# Whether any monitor declares the range of a column. #}
{% macro declares_ranges() %}
    {%- for m in mlmon.monitors() -%}
        {%- for column in m.monitored if column.min is not none or column.max is not none -%}
            {{- return(true) -}}
        {%- endfor -%}
    {%- endfor -%}
    {{- return(false) -}}
{% endmacro %}
