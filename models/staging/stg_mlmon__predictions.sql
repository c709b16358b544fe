-- One row per row of the monitors' prediction logs, in one shape, with the window it falls into,
-- and why it is in quarantine if it is; nothing is dropped here. Only this model and its two
-- siblings know the user's columns.
{%- do mlmon.check_configuration() %}
with

prediction_logs as {{ mlmon.inlined() }} (
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
)

select
    prediction_logs.*,
    {{ mlmon.row_hash(['monitor', 'model_version', 'request_id']) }} as request_hash,
    {{ mlmon.window_index('predicted_at') }} as window_index,
    case
        when request_id is null then 'missing_request_id'
        when predicted_at is null then 'missing_time'
        when
            loaded_at is null
            or predicted_at > {{ mlmon.add_time('loaded_at', 1, 'day') }}
            or predicted_at < {{ mlmon.timestamp_literal(var('mlmon_min_event_at')) }}
            then 'implausible_time'
        when model_version = 'all' then 'reserved_version'
    end as quarantine_reason
from prediction_logs
