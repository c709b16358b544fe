{# The metrics that are estimated from scores before labels arrive. #}
{% macro estimated_metric_names() %}
    {{- return(['accuracy', 'precision', 'recall', 'f1', 'roc_auc']) -}}
{% endmacro %}

{#
    Metrics of expected counts, below each other: the given columns, metric, value, value_error and the variance of the realised one if
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
    {#- By how much a value could be off if the counts are off by what cells hide of them. -#}
    {%- set errors = {
        'accuracy': '(positive_error + negative_error) / ' ~ whole,
        'precision': 'positive_error / nullif(tp + fp, 0)',
        'recall': 'greatest((tp + positive_error) / nullif(tp + positive_error + greatest(0, fn - negative_error), 0) - '
            ~ recall ~ ', ' ~ recall
            ~ ' - greatest(0, tp - positive_error) / nullif(greatest(0, tp - positive_error) + fn + negative_error, 0))',
        'f1': '2 * (positive_error * (tp + fp + fn + negative_error) + tp * (positive_error + negative_error))'
            ~ ' / nullif(2 * tp + fp + fn, 0) / nullif(greatest(0, 2 * tp + fp + fn - positive_error - negative_error), 0)',
        'roc_auc': '(hidden_pairs + all_error * (positives + negatives) * greatest(' ~ auc ~ ', 1 - ' ~ auc
            ~ ')) / nullif(positives, 0) / nullif(negatives, 0)',
    } -%}
    {%- for metric in mlmon.estimated_metric_names() %}
    select
        {{ columns | join(', ') }},
        cast('{{ metric }}' as {{ dbt.type_string() }}) as metric,
        {{ parts[metric][0] }} as value,
        coalesce({{ errors[metric] }}, 0) as value_error,
        {{ parts[metric][1] }} as variance
    from {{ relation }}
    {%- if not loop.last %}

    union all
    {% endif %}
    {%- endfor %}
{% endmacro %}

{# The probability that an interval of a calibration map gives a score. #}
{% macro mapped_probability(score, maps) %}
    {{- return(
        "least(1, greatest(0, " ~ maps ~ ".probability + " ~ maps ~ ".slope * (" ~ score ~ " - " ~ maps ~ ".score)))"
    ) -}}
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
