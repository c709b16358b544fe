-- One row per row of the monitors' reference tables, in the shape of the prediction log, with the
-- label. References in the prediction log itself are not here (int_mlmon__references).
{%- set monitors = mlmon.monitors() | selectattr('reference.kind', 'equalto', 'table') | list %}
{%- for m in monitors %}
{%- if not loop.first %}
union all
{% endif %}
{{ mlmon.reference_log(m) }}
{%- else %}
select
    cast(null as {{ dbt.type_string() }}) as monitor,
    cast(null as {{ dbt.type_string() }}) as reference_version,
    cast(null as timestamp) as predicted_at,
    cast(null as {{ dbt.type_string() }}) as prediction_class,
    cast(null as {{ mlmon.type_double() }}) as prediction_value,
    cast(null as {{ mlmon.type_double() }}) as score,
    cast(null as {{ dbt.type_string() }}) as query_id,
    cast(null as {{ dbt.type_string() }}) as item_id,
    cast(null as {{ mlmon.type_double() }}) as latency_ms,
    cast(null as {{ dbt.type_string() }}) as label_class,
    cast(null as {{ mlmon.type_double() }}) as label_value,
    cast(null as {{ dbt.type_string() }}) as unusable_values
    {%- if mlmon.slot_names() %},{% endif %}
    {{- mlmon.empty_slot_columns() }}
    {{- mlmon.empty_class_score_columns() }}
where false
{%- endfor %}
