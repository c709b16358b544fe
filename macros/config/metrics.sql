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

{# The metrics that a monitor can be judged by: those of its task that its columns allow. #}
{% macro metrics_to_judge(given) %}
    {%- set columns = given.get('columns') or {} -%}
    {%- set columns = columns if columns is mapping else {} -%}
    {%- set has_prediction = (columns.get('prediction', '') is not none)
        or (given.get('threshold') is not none) -%}
    {%- if given.get('task') == 'ranking' -%}
        {{- return(mlmon.ranking_metrics(mlmon.top_k(given)) | list) -}}
    {%- endif -%}
    {%- set metrics = [] -%}
    {%- for metric in mlmon.judged_metric_names(given.get('task') | string) -%}
        {%- set has_column = has_prediction if metric not in mlmon.metrics_of_scores()
            else given.get('class_scores') if given['task'] == 'multiclass'
            else columns.get('score', '') is not none -%}
        {%- if has_column and (metric != 'pinball_loss' or given.get('quantile') is not none) -%}
            {%- do metrics.append(metric) -%}
        {%- endif -%}
    {%- endfor -%}
    {{- return(metrics) -}}
{% endmacro %}
