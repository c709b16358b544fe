{# The metrics that are means over labelled predictions, so that a whole is the weighted mean of its parts. #}
{% macro additive_metrics() %}
    {{- return([
        'accuracy', 'predicted_positive_rate', 'prevalence', 'log_loss', 'brier', 'mae', 'mse', 'bias',
        'mape', 'smape', 'pinball_loss',
    ]) -}}
{% endmacro %}

{# The metrics that two versions are compared by on the requests that both scored. #}
{% macro common_metrics() %}
    {{- return([
        'accuracy', 'precision', 'recall', 'f1', 'specificity', 'predicted_positive_rate', 'mae', 'mse',
        'bias', 'roc_auc',
    ]) -}}
{% endmacro %}
