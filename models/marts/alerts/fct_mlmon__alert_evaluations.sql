-- One row per alert rule, series and closed window: the value, the limit it is held
-- against and whether it breaks it. Computed from the metrics alone, so that a changed
-- rule judges the whole past anew.
with

measurements as (
    select * from {{ ref('int_mlmon__alert_measurements') }}
),

levels as (
    select
        measurements.*,
        {{ mlmon.breach_level('judged_value', 'measurements') | indent(8) }}
            as own_level,
        {{ mlmon.breach_level('short_value', 'measurements') | indent(8) }}
            as short_level
    from measurements
),

-- The short span says whether it is over. Without a judgement there, the long one
-- decides alone.
judged as (
    select
        levels.*,
        case when short_level < own_level then short_level else own_level end
            as breach_level
    from levels
)

select
    series_id,
    rule_id,
    rule_name,
    rule_version,
    monitor_key,
    monitor,
    model_version,
    window_start,
    window_end,
    window_date,
    cast(span_windows as integer) as span_windows,
    cast(resolve_span_windows as integer) as resolve_span_windows,
    segment_name,
    segment_value,
    column_key,
    column_name,
    column_role,
    metric,
    measure,
    class_label,
    label_age,
    cast(value as {{ mlmon.type_double() }}) as value,
    cast(short_value as {{ mlmon.type_double() }}) as resolve_value,
    cast(
        case
            when own_level = 2 or warning_condition = '' then critical_low
            else warning_low
        end as {{ mlmon.type_double() }}
    ) as threshold_low,
    cast(
        case
            when own_level = 2 or warning_condition = '' then critical_high
            else warning_high
        end as {{ mlmon.type_double() }}
    ) as threshold_high,
    case
        when own_level = 2 or warning_condition = '' then critical_condition
        else warning_condition
    end as condition,
    cast(n as bigint) as n,
    status,
    reason_code,
    breach_level > 0 as is_breached,
    case breach_level when 2 then 'critical' when 1 then 'warning' else 'none' end
        as severity
from judged
