-- One row per row of the monitors' label logs, in one shape, with why it is in quarantine if it is.
-- A NULL label is no label.
{%- set monitors = mlmon.monitors() | rejectattr('labels', 'none') | list %}
with

label_logs as {{ mlmon.inlined() }} (
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
)

select
    label_logs.*,
    label_class is not null
    or {{ mlmon.nan_to_null('label_value') }} is not null as has_label,
    case
        when request_id is null then 'missing_request_id'
        when labeled_at is null then 'missing_time'
        when
            loaded_at is null
            or labeled_at > {{ mlmon.add_time('loaded_at', 1, 'day') }}
            or labeled_at < {{ mlmon.timestamp_literal(var('mlmon_min_event_at')) }}
            then 'implausible_time'
    end as quarantine_reason
from label_logs
