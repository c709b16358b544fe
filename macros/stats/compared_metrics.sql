{# The metrics that are means over labelled predictions, so that a whole is the weighted mean of its parts. #}
{% macro additive_metrics() %}
    {%- set shares = [] -%}
    {%- for metric, ratio in mlmon.confusion_ratios().items()
        if ratio.whole == {'tp': 1, 'fp': 1, 'fn': 1, 'tn': 1} -%}
        {%- do shares.append(metric) -%}
    {%- endfor -%}
    {{- return(shares + [
        'log_loss', 'brier', 'mae', 'mse', 'bias',
        'mape', 'smape', 'pinball_loss',
    ]) -}}
{% endmacro %}

{# The metrics that two versions are compared by on the requests that both scored. #}
{% macro common_metrics() %}
    {{- return(
        mlmon.common_ratios() | list + ['roc_auc', 'balanced_accuracy', 'mcc', 'rmse'] + mlmon.common_mean_terms() | list
    ) -}}
{% endmacro %}

{# Of the ratios of a confusion matrix those that predictions make a difference to. #}
{% macro common_ratios() %}
    {%- set ratios = mlmon.confusion_ratios() -%}
    {%- for metric in mlmon.ratios_regardless_of('predicted') -%}{%- do ratios.pop(metric) -%}{%- endfor -%}
    {{- return(ratios) -}}
{% endmacro %}

{#
    Of these the ones that are means of what each request lost, by its error, or by the score that its label's class was given:
    NULL where the request has none. For one side of two, whose columns begin with `side`.
#}
{% macro common_mean_terms(side='') %}
    {%- set error, of_label = side ~ 'error', side ~ 'of_label' -%}
    {%- set losses = mlmon.error_losses(error, side ~ 'prediction_value') -%}
    {{- return({
        'mae': 'abs(' ~ error ~ ')', 'mse': error ~ ' * ' ~ error, 'bias': error, 'mape': losses.relative,
        'smape': losses.symmetric, 'pinball_loss': losses.pinball,
        'brier': '(1 - ' ~ of_label ~ ') * (1 - ' ~ of_label ~ ')', 'log_loss': mlmon.log_loss_of(of_label),
    }) -}}
{% endmacro %}
