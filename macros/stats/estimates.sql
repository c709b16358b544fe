{# The metrics that are estimated from scores before labels arrive. #}
{% macro estimated_metric_names() %}
    {{- return(['accuracy', 'precision', 'recall', 'f1', 'roc_auc']) -}}
{% endmacro %}

{#
    Metrics of expected counts, below each other: the given columns, metric, value and the variance of the realised one if
    every label is drawn with its probability, by the delta method; of roc_auc that of Hanley and McNeil (1982).
#}
{% macro estimated_metrics(relation, columns) %}
    {%- set whole = 'nullif(tp + fp + fn + tn, 0)' -%}
    {%- set f1 = '(2 * tp / nullif(2 * tp + fp + fn, 0))' -%}
    {%- set recall = '(tp / nullif(tp + fn, 0))' -%}
    {%- set auc = '(1 - negatives_above / nullif(positives, 0) / nullif(negatives, 0))' -%}
    {%- set parts = {
        'accuracy': ('(tp + tn) / ' ~ whole, '(positive_variance + negative_variance) / ' ~ whole ~ ' / ' ~ whole),
        'precision': ('tp / nullif(tp + fp, 0)', 'positive_variance / nullif(tp + fp, 0) / nullif(tp + fp, 0)'),
        'recall': (recall, '(positive_variance * (1 - ' ~ recall ~ ') * (1 - ' ~ recall ~ ') + negative_variance * '
            ~ recall ~ ' * ' ~ recall ~ ') / nullif(tp + fn, 0) / nullif(tp + fn, 0)'),
        'f1': (f1, '(positive_variance * (2 - ' ~ f1 ~ ') * (2 - ' ~ f1 ~ ') + negative_variance * ' ~ f1 ~ ' * '
            ~ f1 ~ ') / nullif(2 * tp + fp + fn, 0) / nullif(2 * tp + fp + fn, 0)'),
        'roc_auc': (auc, 'greatest(0, ' ~ auc ~ ' * (1 - ' ~ auc ~ ') + (positives - 1) * (' ~ auc ~ ' / (2 - ' ~ auc
            ~ ') - ' ~ auc ~ ' * ' ~ auc ~ ') + (negatives - 1) * (2 * ' ~ auc ~ ' * ' ~ auc ~ ' / (1 + ' ~ auc ~ ') - '
            ~ auc ~ ' * ' ~ auc ~ ')) / nullif(positives * negatives, 0) * ' ~ mlmon.calibration_factor('(positives + negatives)', 'n_reference')),
    } -%}
    {%- for metric in mlmon.estimated_metric_names() %}
    select
        {{ columns | join(', ') }},
        cast('{{ metric }}' as {{ dbt.type_string() }}) as metric,
        {{ parts[metric][0] }} as value,
        {{ parts[metric][1] }} as variance
    from {{ relation }}
    {%- if not loop.last %}

    union all
    {% endif %}
    {%- endfor %}
{% endmacro %}

{#
    A calibrated probability, drawn towards one half by a row of each class, beside `n` rows of the reference that
    were predicted alike. For variances alone: a map fitted on few rows says 0 or 1 where it has only not seen the rest.
#}
{% macro smoothed_probability(probability, n) %}
    {{- return("((" ~ probability ~ " * " ~ n ~ " + 1) / (" ~ n ~ " + 2))") -}}
{% endmacro %}

{#
    What a variance of n labels grows by if their probabilities were learned from n_reference labels alike: the mean of those
    is off as well.
#}
{% macro calibration_factor(n, n_reference) %}
    {{- return("(1 + 1.0 * " ~ n ~ " / greatest(1, " ~ n_reference ~ "))") -}}
{% endmacro %}
