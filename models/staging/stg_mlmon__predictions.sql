-- One row per row of the monitors' prediction logs, in one shape; nothing is computed or dropped here.
-- The only place, with its two siblings, that knows the user's columns.
{%- do mlmon.check_configuration() %}
{%- for m in mlmon.monitors() %}
{%- if not loop.first %}
union all
{% endif %}
{{ mlmon.prediction_log(m) }}
{%- else %}
select
    cast(null as {{ dbt.type_string() }}) as monitor,
    cast(null as {{ dbt.type_string() }}) as model_version,
    cast(null as {{ dbt.type_string() }}) as request_id,
    cast(null as timestamp) as predicted_at,
    cast(null as timestamp) as loaded_at,
    cast(null as {{ dbt.type_string() }}) as prediction_class,
    cast(null as {{ dbt.type_string() }}) as prediction_text,
    cast(null as {{ mlmon.type_double() }}) as prediction_value,
    cast(null as {{ mlmon.type_double() }}) as score,
    cast(null as {{ dbt.type_string() }}) as query_id,
    cast(null as {{ dbt.type_string() }}) as item_id,
    cast(null as {{ mlmon.type_double() }}) as latency_ms,
    cast(null as {{ dbt.type_string() }}) as outcome,
    true as is_success,
    cast(null as {{ dbt.type_string() }}) as unusable_values
where false
{%- endfor %}
