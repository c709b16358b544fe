{# The class scores of a monitor in their slots, each after a comma; NULL beyond its own classes. #}
{% macro class_score_columns(m, log) %}
    {%- for slot in mlmon.class_score_slots() -%},
    {%- set scores = m.class_scores | selectattr('slot', 'equalto', slot) | list %}
    {{ mlmon.as_double(log, scores[0].column if scores else none) }} as {{ slot }}
    {%- endfor %}
{%- endmacro %}

{# The slots of a relation, each after a comma. Numbers that are none are NULL where they are cleaned. #}
{% macro class_scores_of(relation, clean=false) %}
    {%- for slot in mlmon.class_score_slots() -%},
    {{ mlmon.nan_to_null(relation ~ '.' ~ slot) ~ ' as ' ~ slot if clean else relation ~ '.' ~ slot }}
    {%- endfor %}
{%- endmacro %}

{% macro empty_class_score_columns() %}
    {%- for slot in mlmon.class_score_slots() -%},
    cast(null as {{ mlmon.type_double() }}) as {{ slot }}
    {%- endfor %}
{%- endmacro %}
