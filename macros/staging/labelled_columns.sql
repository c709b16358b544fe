{# The columns of a prediction beside its label, in one order for the branches of a union. #}
{% macro labelled_columns() %}
    {%- set columns = [
        'window_key', 'window_index', 'window_number', 'monitor', 'model_version', 'request_id',
        'predicted_at', 'prediction_class', 'prediction_value', 'score', 'label_class',
        'label_value', 'labeled_at', 'label_loaded_at', 'is_early', 'age_microseconds',
    ] -%}
    {%- for number in range(1, mlmon.slot_counts()['segment'] + 1) -%}
        {%- do columns.append('segment_' ~ number) -%}
    {%- endfor -%}
    {%- do columns.extend(mlmon.class_score_slots()) -%}
    {{- return(columns | join(', ')) -}}
{% endmacro %}
