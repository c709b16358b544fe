{# The non-missing values of all slots of a kind below each other: the keys, slot and x. #}
{% macro long_values(relation, keys, kind) %}
    {%- set type_name = mlmon.type_double() if kind == 'numeric' else dbt.type_string() -%}
    {%- for slot in mlmon.monitored_slots(kind) %}
    {%- if not loop.first %}
    union all
    {%- endif %}
    select
        {% for key in keys %}{{ key }}, {% endfor -%}
        cast('{{ slot }}' as {{ dbt.type_string() }}) as slot,
        {{ slot }} as x
    from {{ relation }}
    where {{ slot }} is not null
    {%- else %}
    select
        {% for key in keys %}{{ key }}, {% endfor -%}
        cast(null as {{ dbt.type_string() }}) as slot,
        cast(null as {{ type_name }}) as x
    from {{ relation }}
    where false
    {%- endfor %}
{% endmacro %}
