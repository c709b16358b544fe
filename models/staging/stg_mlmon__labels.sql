-- One row per row of the monitors' label logs, in one shape.
{%- set monitors = mlmon.monitors() | rejectattr('labels', 'none') | list %}
{%- for m in monitors %}
{%- if not loop.first %}
union all
{% endif %}
{{ mlmon.label_log(m) }}
{%- else %}
select
    cast(null as {{ dbt.type_string() }}) as monitor,
    cast(null as {{ dbt.type_string() }}) as request_id,
    cast(null as {{ dbt.type_string() }}) as label_class,
    cast(null as {{ dbt.type_string() }}) as label_text,
    cast(null as {{ mlmon.type_double() }}) as label_value,
    cast(null as timestamp) as labeled_at,
    cast(null as timestamp) as loaded_at
where false
{%- endfor %}
