{# Which row of a request counts: the first in this order, newest loaded_at before all else. Equal rows are equal. #}
{% macro counting_order(relation) %}
    {%- set columns = ['latency_ms', 'outcome', 'query_id', 'item_id'] + mlmon.slot_names() %}
    {{ relation }}.loaded_at desc,
                {{ relation }}.predicted_at desc,
                coalesce(
                    {{ relation }}.prediction_class,
                    case when {{ relation }}.prediction_value is not null then '' end
                ) desc nulls last,
                {{ relation }}.prediction_value desc nulls last,
                {{ relation }}.score desc nulls last
                {%- for column in columns %},
                {{ relation }}.{{ column }} desc nulls last
                {%- endfor %}
{%- endmacro %}
