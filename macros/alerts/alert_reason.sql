{#
    The sentence of an alert state. Example: drift_share in flight_late v2 is 0.3500 (7
    windows to 2013-07-15 00:00:00, n 1200), limit >= 0.3; critical, firing since
    2013-07-12 00:00:00. Reads the columns of `known` in fct_mlmon__alert_states.
#}
{% macro alert_reason() -%}
    {%- set text = dbt.type_string() -%}
    metric
    || case when column_name <> 'all' then ' of ' || column_name else '' end
    || case when class_label <> 'all' then ', class ' || class_label else '' end
    || case when label_age <> 'none' then ' at label age ' || label_age else '' end
    || ' in ' || monitor
    || case when model_version = 'all' then '' else ' ' || model_version end
    || case
        when segment_name <> 'all' then ', ' || segment_name || ' ' || segment_value
        else ''
    end
    || case
        when n_judged = 0
            then
                ' could not be judged in any window yet'
                || coalesce(' (' || nullif(status, '') || ')', '')
        else
            case measure
                when 'change' then ' differs from what is expected by '
                when 'relative_change' then ' differs from what is expected by '
                else ' is '
            end
            || case
                when measure = 'status_rank' then coalesce(status, 'unknown')
                when measure = 'relative_change'
                    then {{ mlmon.short_number('value') | indent(20) }}
                        || ' of it'
                else {{ mlmon.short_number('value') | indent(16) }}
            end
            || ' (' || cast(span_windows as {{ text }})
            || case when span_windows = 1 then ' window' else ' windows' end
            || ' to ' || cast(window_end as {{ text }})
            || coalesce(', n ' || cast(n as {{ text }}), '') || ')'
            || case
                when state = 'ok' then ''
                else ', limit ' || condition || '; ' || state_severity
            end
            || case
                when state = 'firing'
                    then ', firing since ' || cast(fired_at as {{ text }})
                when state = 'pending'
                    then
                        ', ' || cast(n_breached as {{ text }}) || ' of '
                        || cast(for_windows as {{ text }}) || ' windows needed to fire'
                else ''
            end
    end
    || '.'
{%- endmacro %}
