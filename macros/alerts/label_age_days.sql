{# The days of a label age such as 14d; 0 for latest and none, which wait for nothing. #}
{% macro label_age_days(label_age) -%}
    coalesce(
        case
            when {{ label_age }} like '%d'
                then {{ mlmon.whole_number(
                    'substr(' ~ label_age ~ ', 1, length(' ~ label_age ~ ') - 1)'
                ) | indent(16) }}
        end, 0
    )
{%- endmacro %}
