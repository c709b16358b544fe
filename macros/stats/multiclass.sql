{#
    Per class and averaged metric: what the class adds to it (part), and the metric's gradient by the class's hits (h), labels
    (l) and predictions (p). An undefined class counts 0. Of a mean of independent proportions also how far its own Wilson
    interval reaches below and above the part: they join to the interval of the mean (Newcombe 1998).
#}
{% macro multiclass_parts(classes, columns) %}
    {%- set both = 'nullif(n_labels + n_predicted, 0)' -%}
    {%- set ratio = {
        'precision': ('n_hits / nullif(n_predicted, 0)', '1 / nullif(n_predicted, 0)', '0',
            '0 - n_hits / nullif(n_predicted, 0) / nullif(n_predicted, 0)'),
        'recall': ('n_hits / nullif(n_labels, 0)', '1 / nullif(n_labels, 0)',
            '0 - n_hits / nullif(n_labels, 0) / nullif(n_labels, 0)', '0'),
        'f1': ('2 * n_hits / ' ~ both, '2 / ' ~ both, '0 - 2 * n_hits / ' ~ both ~ ' / ' ~ both,
            '0 - 2 * n_hits / ' ~ both ~ ' / ' ~ both),
    } -%}
    {%- set metrics = {
        'balanced_accuracy': ('recall', '1.0 / n_label_classes', '0'),
        'precision_macro': ('precision', '1.0 / n_classes', '0'),
        'recall_macro': ('recall', '1.0 / n_classes', '0'),
        'f1_macro': ('f1', '1.0 / n_classes', '0'),
        'precision_weighted': ('precision', 'n_labels / n_rows', '1.0 / n_rows'),
        'f1_weighted': ('f1', 'n_labels / n_rows', '1.0 / n_rows'),
    } -%}
    {%- for metric, given in metrics.items() %}
    {%- set value, by_hits, by_labels, by_predicted = ratio[given[0]] %}
    {%- set whole = {'precision': 'n_predicted', 'recall': 'n_labels'}.get(given[0])
        if given[2] == '0' else none %}
    select
        {{ columns | join(', ') }},
        class_label,
        n_rows,
        n_excluded,
        cast('{{ metric }}' as {{ dbt.type_string() }}) as metric,
        coalesce({{ given[1] }} * ({{ value }}), 0) as part,
        coalesce({{ given[1] }} * ({{ by_hits }}), 0) as by_hits,
        -- A weight that is the class's share of the labels moves with them.
        coalesce({{ given[1] }} * ({{ by_labels }}), 0)
        + coalesce({{ given[2] }} * ({{ value }}), 0) as by_labels,
        coalesce({{ given[1] }} * ({{ by_predicted }}), 0) as by_predicted,
        {%- if whole %}
        {{ given[1] }} * ({{ value }} - {{ mlmon.wilson_bound('(' ~ value ~ ')', 'nullif(' ~ whole ~ ', 0)', '-') }})
            as below,
        {{ given[1] }} * ({{ mlmon.wilson_bound('(' ~ value ~ ')', 'nullif(' ~ whole ~ ', 0)', '+') }} - {{ value }})
            as above
        {%- else %}
        cast(null as {{ mlmon.type_double() }}) as below,
        cast(null as {{ mlmon.type_double() }}) as above
        {%- endif %}
    from {{ classes }}
    {% if not loop.last %}
    union all
    {% endif %}
    {%- endfor %}
{% endmacro %}

{# Metrics of all rows, and of each class against the rest. #}
{% macro multiclass_metrics(totals, classes, columns) %}
    {%- for metric in [
        'accuracy', 'precision_micro', 'recall_micro', 'f1_micro', 'recall_weighted',
    ] %}
    {{ mlmon.proportion_metric(totals, columns, metric, "'all'", 'n_correct', 'n_rows') }}

    union all
    {% endfor %}
    {{ mlmon.proportion_metric(classes, columns, 'precision', 'class_label', 'n_hits', 'n_predicted') }}

    union all

    {{ mlmon.proportion_metric(classes, columns, 'recall', 'class_label', 'n_hits', 'n_labels') }}

    union all

    {{ mlmon.f1_metric(
        classes, columns, 'class_label', 'n_hits', '(n_predicted - n_hits)', '(n_labels - n_hits)', 'n_rows'
    ) }}
{%- endmacro %}
