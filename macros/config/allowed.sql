{# What the configuration may say; the one place that lists it, for reading and for checking. #}
{% macro monitor_keys() %}
    {{- return([
        'task', 'grain', 'timezone', 'predictions', 'labels', 'reference', 'columns', 'label_columns',
        'reference_columns', 'positive_class', 'label_mapping', 'class_scores', 'threshold', 'success_outcomes',
        'quantile', 'baseline', 'features', 'segments', 'spans', 'bins', 'smoothing', 'missing', 'drift_methods',
        'drift_rule', 'preset', 'threshold_policy', 'label_horizon_days', 'label_ages_days', 'primary_metric', 'metrics', 'slo', 'close_after_minutes',
        'score_digits', 'top_k', 'multivariate', 'fairness', 'kpis', 'value_matrix', 'areas', 'owner', 'description', 'dashboard_url',
    ]) -}}
{% endmacro %}

{% macro prediction_columns() %}
    {{- return([
        'request_id', 'predicted_at', 'loaded_at', 'model_version', 'prediction', 'score',
        'latency_ms', 'outcome', 'query_id', 'item_id',
    ]) -}}
{% endmacro %}

{% macro label_log_columns() %}
    {{- return(['request_id', 'label', 'relevance', 'labeled_at', 'loaded_at']) -}}
{% endmacro %}

{# The columns without which a log cannot be read, by the key that maps them. #}
{% macro identity_columns() %}
    {{- return({
        'columns': ['request_id', 'predicted_at', 'query_id', 'item_id'],
        'label_columns': ['request_id', 'label', 'relevance', 'labeled_at'],
        'reference_columns': [],
    }) -}}
{% endmacro %}

{% macro feature_keys() %}
    {{- return([
        'kind', 'column', 'expression', 'quote', 'min', 'max', 'required', 'importance',
        'description', 'bins', 'smoothing', 'missing', 'drift_methods', 'drift_rule', 'preset',
    ]) -}}
{% endmacro %}

{% macro multivariate_keys() %}{{- return(['rows', 'warning']) -}}{% endmacro %}

{% macro segment_keys() %}
    {{- return(['name', 'column', 'expression', 'quote', 'values', 'max_values']) -}}
{% endmacro %}

{# The keys that only a label log gives a meaning to. #}
{% macro label_keys() %}
    {{- return([
        'label_columns', 'label_horizon_days', 'label_ages_days', 'primary_metric', 'metrics',
        'baseline', 'quantile', 'class_scores', 'top_k', 'fairness', 'value_matrix',
    ]) -}}
{% endmacro %}

{% macro replaceable_seeds() %}
    {{- return([
        'alert_rules', 'drift_thresholds', 'degradation_thresholds', 'baseline_metrics', 'runbooks',
    ]) -}}
{% endmacro %}

{# The drift statistics, and those that only numeric columns have. #}
{% macro drift_methods() %}
    {{- return([
        'psi', 'js_distance', 'js_divergence', 'hellinger', 'total_variation', 'l_infinity',
        'chi_square', 'missing_change', 'ks', 'wasserstein', 'wasserstein_normed',
    ]) -}}
{% endmacro %}

{% macro numeric_drift_methods() %}{{- return(['ks', 'wasserstein', 'wasserstein_normed']) -}}{% endmacro %}

{# What is computed where the configuration names nothing. #}
{% macro default_drift_methods() %}
    {{- return(['psi', 'js_distance', 'total_variation', 'missing_change', 'ks']) -}}
{% endmacro %}

{# Names that the tables give a meaning of their own. #}
{% macro reserved_names() %}
    {{- return(['all', '__missing__', '__other__', '__unseen__']) -}}
{% endmacro %}

{# What a monitor is judged by where it does not say: of a binary one without predictions, how its scores rank. #}
{% macro default_metric(given) %}
    {%- set columns = given.get('columns') -%}
    {%- if given.get('task') == 'binary' and given.get('threshold') is none
        and columns is mapping and columns.get('prediction', '') is none -%}
        {{- return('roc_auc') -}}
    {%- endif -%}
    {%- if given.get('task') == 'ranking' -%}{{- return('ndcg_at_' ~ mlmon.top_k(given) | max) -}}{%- endif -%}
    {{- return({'binary': 'f1', 'multiclass': 'accuracy', 'regression': 'mae'}[given['task']]) -}}
{% endmacro %}

{# The metrics that are computed for a task; those of scores need a score, or one a class, pinball_loss a declared quantile. #}
{% macro metrics_of_task(task) %}
    {{- return({
        'binary': mlmon.confusion_ratios() | list + ['balanced_accuracy', 'mcc'] + mlmon.score_metric_names(),
        'multiclass': [
            'accuracy', 'balanced_accuracy', 'precision_macro', 'recall_macro', 'f1_macro',
            'precision_micro', 'recall_micro', 'f1_micro', 'precision_weighted', 'recall_weighted',
            'f1_weighted', 'log_loss', 'roc_auc_macro',
        ],
        'regression': [
            'mae', 'rmse', 'mse', 'bias', 'mape', 'smape', 'r2', 'median_absolute_error', 'pinball_loss',
        ],
    }.get(task, [])) -}}
{% endmacro %}

{# Those that a loss can be told of: they have a better side and an interval. #}
{% macro judged_metric_names(task) %}
    {{- return(mlmon.metrics_of_task(task) | reject('in', [
        'predicted_positive_rate', 'prevalence', 'bias', 'ece', 'brier_reliability', 'brier_resolution',
        'brier_uncertainty', 'brier_within_bins',
    ]) | list) -}}
{% endmacro %}

{# Of a binary monitor; and all that scores are needed for. #}
{% macro score_metric_names() %}
    {{- return([
        'roc_auc', 'average_precision', 'log_loss', 'brier', 'ece', 'brier_reliability',
        'brier_resolution', 'brier_uncertainty', 'brier_within_bins',
    ]) -}}
{% endmacro %}

{% macro metrics_of_scores() %}{{- return(mlmon.score_metric_names() + ['roc_auc_macro']) -}}{% endmacro %}

{# What a metric may be compared with; the first is the default. #}
{% macro baseline_kinds() %}{{- return(['reference', 'previous_version', 'previous_span']) -}}{% endmacro %}
