-- One row per monitor, version, closed window end, span, segment and label age: the metrics of
-- fct_mlmon__performance side by side, for charts and spreadsheets. Metrics that the monitor's task
-- does not have are NULL; what is taken at a cut-off is taken at the monitor's largest.
{{ config(materialized='view') }}

{%- set keys = [
    'monitor_key', 'monitor', 'model_version', 'window_start', 'window_end', 'window_date', 'span_windows',
    'segment_name', 'segment_value', 'label_age', 'label_age_days', 'is_horizon',
] %}

select
    {{ keys | join(',\n    ') }},
    max(n_predictions) as n_predictions,
    max(label_coverage) as label_coverage,
    max(expected_label_coverage) as expected_label_coverage,
    {%- for metric in [
        'accuracy', 'precision', 'recall', 'f1', 'specificity', 'balanced_accuracy', 'mcc', 'roc_auc',
        'average_precision', 'log_loss', 'brier', 'ece', 'precision_macro', 'recall_macro', 'f1_macro',
        'mae', 'rmse', 'bias', 'mape', 'smape', 'r2', 'median_absolute_error', 'mrr',
    ] %}
    max(case when metric = '{{ metric }}' then value end) as {{ metric }},
    {%- endfor %}
    {%- for measure in mlmon.cut_off_metrics() %}
    max(case when measure = '{{ measure }}' then value end) as {{ measure }}_at_k,
    {%- endfor %}
    bool_and(is_complete) as is_complete,
    bool_and(is_mature) as is_mature
from (
    select
        performance.*,
        case when ranking_metrics.is_widest then ranking_metrics.measure end as measure
    from {{ ref('fct_mlmon__performance') }} as performance
    left join ({{ mlmon.ranking_metric_settings() }}) as ranking_metrics
        on
            performance.monitor = ranking_metrics.monitor
            and performance.metric = ranking_metrics.metric
    where performance.class_label = 'all'
) as measured
group by {{ keys | join(', ') }}
