-- One row per monitor, version, closed window end, span, segment, column, metric, class and label
-- age: every number of the package in one shape, for alert rules and for one chart that can show
-- them all. A view over the marts, those of areas where a monitor has them.
{{ config(materialized='view') }}

{%- set judged = {
    'status': 'status', 'status_rank': 'status_rank', 'reason_code': 'reason_code',
} %}

{{ mlmon.metric_rows('fct_mlmon__drift', 'method', 'value', dict(
    judged, column=true, n='n_current',
)) }}
union all
{{ mlmon.metric_rows('fct_mlmon__column_drift', "'column_drift_rank'", 'status_rank', dict(
    judged, column=true, n='n_current',
)) }}
union all
{{ mlmon.metric_rows('fct_mlmon__dataset_drift', "'drift_share'", 'drift_share', dict(
    judged, n='n_judged',
)) }}
{%- if mlmon.is_asked_for('multivariate') %}
union all
{{ mlmon.metric_rows('fct_mlmon__multivariate_drift', 'method', 'value', dict(
    judged, value_low='value_low', value_high='value_high', n='n_current',
), 'value is not null') }}
{%- endif %}
union all
{{ mlmon.metric_rows('fct_mlmon__label_drift', 'method', 'value', dict(
    judged, column=true, label_age='label_age', n='n_current',
)) }}
{%- if mlmon.is_asked_for('association') %}
union all
{{ mlmon.metric_rows('fct_mlmon__label_association', 'method', 'value', dict(
    judged, column=true, label_age='label_age', n='n_current', reference_value='reference_value',
)) }}
{%- endif %}
union all
{{ mlmon.metric_rows('fct_mlmon__performance', 'metric', 'value', dict(
    judged, class_label='class_label', label_age='label_age', value_low='value_low',
    value_high='value_high', n='n',
)) }}
union all
{{ mlmon.metric_rows('fct_mlmon__degradation', "metric || '_relative_loss'", 'relative_loss', dict(
    judged, class_label='class_label', label_age='label_age', n='n',
    reference_value='baseline_value',
), 'is_deciding') }}
{%- if mlmon.is_asked_for('fairness') %}
union all
{{ mlmon.metric_rows('fct_mlmon__group_fairness', 'metric', 'value', dict(
    judged, label_age='label_age', value_low='value_low', value_high='value_high', n='n',
    reference_value='others_value',
)) }}
{%- endif %}
union all
{{ mlmon.metric_rows('fct_mlmon__estimated_performance', "'estimated_' || metric", 'value', dict(
    judged, value_low='value_low', value_high='value_high', n='n_predictions',
    reference_value='realised_value',
)) }}
{%- if mlmon.is_asked_for('kpis') %}
union all
{{ mlmon.metric_rows('fct_mlmon__kpis', "'kpi_' || kpi", 'value_per_request', dict(
    judged, label_age='label_age', value_low='value_low', value_high='value_high', n='n',
    reference_value='baseline_per_request',
), 'value_per_request is not null') }}
{%- endif %}
union all
{{ mlmon.metric_rows('fct_mlmon__quality_checks', "'check_' || check_name", 'value', dict(
    judged, column=true, n='n_checked', reference_value='reference_value',
)) }}
union all
{{ mlmon.metric_rows('fct_mlmon__windows', "'n_predictions'", 'n_predictions', dict(
    segment=false, n='n_predictions',
), 'is_closed') }}
union all
{{ mlmon.metric_rows('fct_mlmon__windows', "'label_coverage'", 'label_coverage', dict(
    segment=false, n='n_predictions', reference_value='expected_label_coverage',
), 'is_closed and label_coverage is not null') }}
{%- for metric in ['requests_per_second', 'error_rate'] %}
union all
{{ mlmon.metric_rows(
    'fct_mlmon__operations', "'" ~ metric ~ "'", metric, dict(n='n_requests'), 'is_closed'
) }}
{%- endfor %}
{%- for metric in [
    'latency_mean_ms', 'latency_p50_ms', 'latency_p95_ms', 'latency_p99_ms', 'latency_max_ms',
    'error_budget_burn',
] %}
union all
{{ mlmon.metric_rows('fct_mlmon__operations', "'" ~ metric ~ "'", metric, dict(
    n='n_latency',
    reference_value='reference_latency_p99_ms' if metric == 'latency_p99_ms' else 'null',
), 'is_closed') }}
{%- endfor %}
