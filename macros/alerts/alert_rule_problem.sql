{#
    Why a row of the alert rules cannot be used: what was found, what is allowed. NULL
    for a sound row. Reads the columns of `checked` in int_mlmon__alert_rules.
#}
{% macro alert_rule_problem() -%}
    {%- set forms = "> 0.1, >= 5, < 0.8, <= 1, != 0, outside 0.2 0.8" -%}
    case
        when rule_id = '' then 'rule_id is empty; fix: give the rule a name of its own'
        when n_rows > 1
            then 'another row of this rule selects exactly the same; fix: keep one'
        when n_metrics = 0 and metric not like '%{primary_metric}%'
            then
                'metric: found ''' || metric || '''; allowed: a metric of'
                || ' dim_mlmon__metrics, its beginning and *, or {primary_metric}_...'
        when measure not in ('value', 'change', 'relative_change', 'status_rank')
            then {{ mlmon.found_allowed(
                'measure', 'value, change, relative_change, status_rank'
            ) }}
        when enabled_text not in ('true', 'false')
            then {{ mlmon.found_allowed('enabled', 'true, false', 'enabled_text') }}
        when warning_condition = '' and critical_condition = ''
            then
                'warning_condition and critical_condition are empty;'
                || ' allowed: {{ forms }}'
        when warning_condition <> '' and not is_warning_valid
            then {{ mlmon.found_allowed('warning_condition', forms) }}
        when critical_condition <> '' and not is_critical_valid
            then {{ mlmon.found_allowed('critical_condition', forms) }}
        when span_text <> 'default' and coalesce(span_number, 0) < 1
            then {{ mlmon.found_allowed(
                'span_windows', 'default, a whole number from 1', 'span_text'
            ) }}
        when
            resolve_span_text not in ('same', 'default')
            and coalesce(resolve_span_number, 0) < 1
            then {{ mlmon.found_allowed(
                'resolve_span_windows', 'same, default, a whole number from 1',
                'resolve_span_text'
            ) }}
        {%- for column in ['for_windows', 'resolve_windows'] %}
        when coalesce({{ column }}, 0) < 1
            then '{{ column }}: allowed: a whole number from 1'
        {%- endfor %}
        {%- for column in [
            'min_samples', 'cooldown_minutes', 'repeat_minutes', 'no_data_minutes',
            'max_age_minutes',
        ] %}
        when {{ column }} is null then '{{ column }}: allowed: a whole number'
        {%- endfor %}
    end
{%- endmacro %}

{% macro found_allowed(key, allowed, expression=none) -%}
    '{{ key }}: found ''' || {{ expression or key }} || '''; allowed: {{ allowed }}'
{%- endmacro %}
