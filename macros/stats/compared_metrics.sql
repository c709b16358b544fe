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
        'accuracy', 'precision', 'recall', 'f1', 'specificity', 'predicted_positive_rate', 'roc_auc',
    ] + mlmon.common_mean_terms() | list) -}}
{% endmacro %}

{#
    Of these the ones that are means of what each request lost: where its rows are, the column that the term is of ({0};
    {1} is the prediction), the term, and which rows have one.
#}
{% macro common_mean_terms() %}
    {%- set certain = "least(greatest({0}, " ~ mlmon.score_floor() ~ "), 1 - " ~ mlmon.score_floor() ~ ")" -%}
    {{- return({
        'mae': ('errors', 'error', 'abs({0})', none),
        'mse': ('errors', 'error', '{0} * {0}', none),
        'bias': ('errors', 'error', '{0}', none),
        'mape': ('errors', 'error', 'abs({0} / label_value)', 'abs(label_value) >= 1e-70'),
        'smape': ('errors', 'error', 'coalesce(2 * abs({0}) / nullif(abs(label_value) + abs({1}), 0), 0)', none),
        'pinball_loss': (
            'errors', 'error', 'greatest((0 - quantile) * {0}, (1 - quantile) * {0})', 'quantile is not null'
        ),
        'brier': ('scores', 'of_label', '(1 - {0}) * (1 - {0})', none),
        'log_loss': ('scores', 'of_label', '0 - ln(' ~ certain ~ ')', none),
    }) -}}
{% endmacro %}
