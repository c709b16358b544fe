{# A KPI's verdict in one sentence, from a relation with its numbers and reason_code. #}
{% macro kpi_reason(relation) -%}
    case {{ relation }}.reason_code
        when 'not_judged_here'
            then
                case
                    when {{ relation }}.is_judged_age then 'For information: the KPI has no thresholds.'
                    else 'For information: judged at the horizon age.'
                end
        when 'labels_late'
            then
                'Labels are late: ' || {{ mlmon.percent_text(relation ~ '.label_coverage') }}
                || ' arrived where ' || {{ mlmon.percent_text(relation ~ '.expected_label_coverage') }}
                || ' are usual.'
        when 'immature' then 'Not all labels can have arrived yet.'
        when 'no_value' then 'No request of this span has a value.'
        when 'no_baseline' then 'Nothing to compare with: the reference has no value of this KPI.'
        when 'baseline_zero' then 'The baseline is 0: no relative change can be told.'
        when 'short_span' then 'Fewer than half the windows of this span exist.'
        when 'no_interval' then 'Too few rows, or all alike: what chance does cannot be told.'
        else
            {{ relation }}.kpi || ' is ' || {{ mlmon.short_number(relation ~ '.value') }}
            || case when {{ relation }}.unit = 'none' then '' else ' ' || {{ relation }}.unit end
            || ' a request against ' || {{ mlmon.short_number(relation ~ '.baseline') }}
            || case {{ relation }}.reason_code
                when 'above_critical' then ': a critical loss.'
                when 'above_warning' then ': a loss.'
                when 'could_be_chance' then ': a loss that could be chance.'
                else '.'
            end
    end
{%- endmacro %}
