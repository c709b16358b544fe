{# One monitor's prediction log in the shape of stg_mlmon__predictions. #}
{% macro prediction_log(m) %}
    {%- set log = mlmon.read_log_columns(m, 'predictions', m.predictions) -%}
    {%- set columns = m.columns -%}
    {%- set predicted_at = mlmon.as_timestamp(log, columns.predicted_at) -%}
    {%- set outcome = mlmon.as_text(log, columns.outcome) -%}
    {%- set loaded_at = mlmon.loaded_at(log, columns.loaded_at, predicted_at) -%}
select
    cast({{ mlmon.text_literal(m.name) }} as {{ dbt.type_string() }}) as monitor,
    coalesce({{ mlmon.as_text(log, columns.model_version) }}, 'unversioned') as model_version,
    {{ mlmon.as_text(log, columns.request_id) }} as request_id,
    {{ predicted_at }} as predicted_at,
    {{ loaded_at }} as loaded_at,
    {{ mlmon.as_predicted_class(m, log, columns) if m.task != 'regression'
        else mlmon.as_text({'types': {}, 'absent': []}, none) }} as prediction_class,
    {{ mlmon.as_class_text(m, log, columns.prediction if m.task != 'regression' else none) }}
        as prediction_text,
    {{ mlmon.as_double(log, columns.prediction if m.task == 'regression' else none) }}
        as prediction_value,
    {{ mlmon.as_double(log, columns.score) }} as score,
    {{ mlmon.as_text(log, columns.query_id) }} as query_id,
    {{ mlmon.as_text(log, columns.item_id) }} as item_id,
    {{ mlmon.as_double(log, columns.latency_ms) }} as latency_ms,
    {{ outcome }} as outcome,
    {%- if m.success_outcomes %}
    coalesce({{ outcome }} in (
        {%- for value in m.success_outcomes %}{{ mlmon.text_literal(value) }}
        {%- if not loop.last %}, {% endif %}{% endfor -%}
    ), true) as is_success
    {%- else %}
    true as is_success
    {%- endif %},
    {{ mlmon.unusable_values(m, log, columns) }} as unusable_values
    {{- mlmon.class_score_columns(m, log) }}
    {%- if mlmon.slot_names() %},{% endif %}
    {{- mlmon.slot_columns(m, log) }}
from {{ log.relation }}
{{- mlmon.seen_by_then(loaded_at) }}
{%- endmacro %}

{% macro label_log(m) %}
    {%- set log = mlmon.read_log_columns(m, 'labels', m.labels) -%}
    {%- set columns = m.label_columns -%}
    {%- set labeled_at = mlmon.as_timestamp(log, columns.labeled_at) -%}
    {%- set loaded_at = mlmon.loaded_at(log, columns.loaded_at, labeled_at) -%}
select
    cast({{ mlmon.text_literal(m.name) }} as {{ dbt.type_string() }}) as monitor,
    {{ mlmon.as_text(log, columns.request_id) }} as request_id,
    {{ mlmon.as_class(m, log, columns.label) if m.task not in mlmon.number_tasks()
        else mlmon.as_text({'types': {}, 'absent': []}, none) }} as label_class,
    {{ mlmon.as_class_text(m, log, columns.label if m.task not in mlmon.number_tasks() else none) }}
        as label_text,
    {{ mlmon.as_double(log, columns.label if m.task in mlmon.number_tasks() else none) }} as label_value,
    {{ labeled_at }} as labeled_at,
    {{ loaded_at }} as loaded_at
from {{ log.relation }}
{{- mlmon.seen_by_then(loaded_at) }}
{%- endmacro %}

{# One monitor's reference table; rows without a version serve every version ('all'). #}
{% macro reference_log(m) %}
    {%- set log = mlmon.read_log_columns(m, 'reference', m.reference.relation) -%}
    {%- set columns = m.reference_columns -%}
select
    cast({{ mlmon.text_literal(m.name) }} as {{ dbt.type_string() }}) as monitor,
    coalesce({{ mlmon.as_text(log, columns.model_version) }}, 'all') as reference_version,
    {{ mlmon.as_timestamp(log, columns.predicted_at) }} as predicted_at,
    {{ mlmon.as_predicted_class(m, log, columns) if m.task != 'regression'
        else mlmon.as_text({'types': {}, 'absent': []}, none) }} as prediction_class,
    {{ mlmon.as_double(log, columns.prediction if m.task == 'regression' else none) }}
        as prediction_value,
    {{ mlmon.as_double(log, columns.score) }} as score,
    {{ mlmon.as_text(log, columns.query_id) }} as query_id,
    {{ mlmon.as_text(log, columns.item_id) }} as item_id,
    {{ mlmon.as_double(log, columns.latency_ms) }} as latency_ms,
    {{ mlmon.as_class(m, log, columns.label) if m.task not in mlmon.number_tasks()
        else mlmon.as_text({'types': {}, 'absent': []}, none) }} as label_class,
    {{ mlmon.as_double(log, columns.label if m.task in mlmon.number_tasks() else none) }} as label_value,
    {{ mlmon.unusable_values(m, log, columns) }} as unusable_values
    {{- mlmon.class_score_columns(m, log) }}
    {%- if mlmon.slot_names() %},{% endif %}
    {{- mlmon.slot_columns(m, log) }}
from {{ log.relation }}
{%- endmacro %}
