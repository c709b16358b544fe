{# The four cells of a binary confusion matrix, from counts per label_class and predicted_class. #}
{% macro confusion_sums(counts) %}
    {%- for cell, classes in {
        'tp': ('1', '1'), 'fp': ('0', '1'), 'fn': ('1', '0'), 'tn': ('0', '0'),
    }.items() %}
    {%- if not loop.first %}
        {% endif -%}
    sum(
            case
                when
                    {{ counts }}.label_class = '{{ classes[0] }}'
                    and {{ counts }}.predicted_class = '{{ classes[1] }}'
                    then {{ counts }}.n
                else 0
            end
        ) as {{ cell }}{{ ',' if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{#
    The metrics of a binary confusion matrix that are a ratio of two weighted sums of its cells: f1 is 2 tp / (2 tp + fp + fn).
    Performance, its baselines, comparisons of versions, estimates and decomposition take them from here, by what the weights
    say of them. A metric that is added here needs rows in seeds/mlmon_metrics.csv that say what it is, nothing else.
#}
{% macro confusion_ratios() %}
    {%- set all = {'tp': 1, 'fp': 1, 'fn': 1, 'tn': 1} -%}
    {{- return({
        'accuracy': {'part': {'tp': 1, 'tn': 1}, 'whole': all},
        'precision': {'part': {'tp': 1}, 'whole': {'tp': 1, 'fp': 1}},
        'recall': {'part': {'tp': 1}, 'whole': {'tp': 1, 'fn': 1}},
        'f1': {'part': {'tp': 2}, 'whole': {'tp': 2, 'fp': 1, 'fn': 1}},
        'specificity': {'part': {'tn': 1}, 'whole': {'tn': 1, 'fp': 1}},
        'predicted_positive_rate': {'part': {'tp': 1, 'fp': 1}, 'whole': all},
        'prevalence': {'part': {'tp': 1, 'fn': 1}, 'whole': all},
    }) -}}
{% endmacro %}

{# A weighted sum of cells as SQL: `2 * tp + fp + fn`. The columns may begin with a prefix. #}
{% macro weighted_cells(weights, prefix='') %}
    {%- set terms = [] -%}
    {%- for cell, weight in weights.items() -%}
        {%- do terms.append(("" if weight == 1 else weight ~ " * ") ~ prefix ~ cell) -%}
    {%- endfor -%}
    {{- return(terms | join(" + ")) -}}
{% endmacro %}

{#
    The ratios that do not hang on what a prediction says (`predicted`), or on what its label says (`label`); with `whole`,
    those whose denominator does not.
#}
{% macro ratios_regardless_of(what, side=none) %}
    {%- set pairs = [('tp', 'fn'), ('fp', 'tn')] if what == 'predicted' else [('tp', 'fp'), ('fn', 'tn')] -%}
    {%- set found = [] -%}
    {%- for metric, ratio in mlmon.confusion_ratios().items() -%}
        {%- set moved = [] -%}
        {%- for name, weights in ratio.items() if side is none or name == side -%}
            {%- for one, other in pairs if weights.get(one, 0) != weights.get(other, 0) -%}
                {%- do moved.append(name) -%}
            {%- endfor -%}
        {%- endfor -%}
        {%- if not moved -%}{%- do found.append(metric) -%}{%- endif -%}
    {%- endfor -%}
    {{- return(found) -}}
{% endmacro %}

{#
    The binary metrics of one relation of the cells tp, fp, fn, tn and n_excluded, below each other: the given columns and
    those of metric_columns(). Proportions have Wilson's 95 % interval; f1 and mcc that of the delta method over the
    multinomial counts, cut to their range, where there are enough of them. Undefined (0/0) is NULL.
#}
{% macro binary_metrics(relation, columns) %}
    {%- for metric, ratio in mlmon.confusion_ratios().items() if metric != 'f1' %}
    {{ mlmon.proportion_metric(
        relation, columns, metric, "'all'", mlmon.weighted_cells(ratio.part), mlmon.weighted_cells(ratio.whole)
    ) }}

    union all
    {% endfor %}
    {{ mlmon.f1_metric(relation, columns, "'all'", 'tp', 'fp', 'fn', 'tp + fp + fn + tn') }}

    union all

    {{ mlmon.balanced_accuracy(relation, columns) }}

    union all

    {{ mlmon.mcc_metric(relation, columns) }}
{% endmacro %}

{# A metric that is a proportion of counts, with Wilson's interval. #}
{% macro proportion_metric(relation, columns, metric, class_label, part, whole) %}
    select
        {{ columns | join(', ') }},
        cast('{{ metric }}' as {{ dbt.type_string() }}) as metric,
        cast({{ class_label }} as {{ dbt.type_string() }}) as class_label,
        share as value,
        share * (1 - share) / nullif({{ whole }}, 0) as variance,
        cast({{ whole }} as bigint) as n,
        cast(n_excluded as bigint) as n_excluded,
        {{ mlmon.wilson_bound('share', whole, '-') }} as value_low,
        {{ mlmon.wilson_bound('share', whole, '+') }} as value_high,
        cast('wilson' as {{ dbt.type_string() }}) as interval_method
    from (
        select
            counts.*,
            cast({{ part }} as {{ mlmon.type_double() }}) / nullif({{ whole }}, 0) as share
        from {{ relation }} as counts
    ) as shares
{%- endmacro %}

{#
    f1 of true positives, false positives and false negatives. With fewer than a hundred of them, or none that is wrong, its
    interval is Wilson's of the Jaccard index tp / (tp + fp + fn), a proportion that f1 = 2 j / (1 + j) grows with.
#}
{% macro f1_metric(relation, columns, class_label, tp, fp, fn, n) %}
    {%- set double = mlmon.type_double() %}
    select
        {{ columns | join(', ') }},
        cast('f1' as {{ dbt.type_string() }}) as metric,
        cast({{ class_label }} as {{ dbt.type_string() }}) as class_label,
        value,
        variance,
        cast(n as bigint) as n,
        cast(n_excluded as bigint) as n_excluded,
        case
            when is_many then greatest(0, value - 1.959963984540054 * sqrt(variance))
            else 2 * jaccard_low / (1 + jaccard_low)
        end as value_low,
        case
            when is_many then least(1, value + 1.959963984540054 * sqrt(variance))
            else 2 * jaccard_high / (1 + jaccard_high)
        end as value_high,
        cast(case when is_many then 'delta' else 'wilson_jaccard' end as {{ dbt.type_string() }})
            as interval_method
    from (
        select
            shares.*,
            n_counted >= 100 and jaccard > 0 and jaccard < 1 as is_many,
            2 * jaccard / (1 + jaccard) as value,
            -- That of the delta method: 2 / (1 + j)^2 is how f1 moves with j.
            4 * jaccard * (1 - jaccard) / n_counted
            / ((1 + jaccard) * (1 + jaccard) * (1 + jaccard) * (1 + jaccard)) as variance,
            {{ mlmon.wilson_bound('jaccard', 'n_counted', '-') }} as jaccard_low,
            {{ mlmon.wilson_bound('jaccard', 'n_counted', '+') }} as jaccard_high
        from (
            select
                counts.*,
                {{ n }} as n,
                nullif({{ tp }} + {{ fp }} + {{ fn }}, 0) as n_counted,
                cast({{ tp }} as {{ double }}) / nullif({{ tp }} + {{ fp }} + {{ fn }}, 0) as jaccard
            from {{ relation }} as counts
        ) as shares
    ) as measured
{%- endmacro %}

{#
    The mean of recall and specificity: two independent proportions, whose Wilson intervals join to that of the mean
    (Newcombe 1998). The delta method's is too narrow where one class is rare.
#}
{% macro balanced_accuracy(relation, columns) %}
    select
        {{ columns | join(', ') }},
        cast('balanced_accuracy' as {{ dbt.type_string() }}) as metric,
        cast('all' as {{ dbt.type_string() }}) as class_label,
        0.5 * (recall + specificity) as value,
        0.25 * (recall * (1 - recall) / (tp + fn) + specificity * (1 - specificity) / (tn + fp)) as variance,
        cast(tp + fp + fn + tn as bigint) as n,
        cast(n_excluded as bigint) as n_excluded,
        0.5 * (recall + specificity) - 0.5 * sqrt(
            power(recall - {{ mlmon.wilson_bound('recall', '(tp + fn)', '-') }}, 2)
            + power(specificity - {{ mlmon.wilson_bound('specificity', '(tn + fp)', '-') }}, 2)
        ) as value_low,
        0.5 * (recall + specificity) + 0.5 * sqrt(
            power({{ mlmon.wilson_bound('recall', '(tp + fn)', '+') }} - recall, 2)
            + power({{ mlmon.wilson_bound('specificity', '(tn + fp)', '+') }} - specificity, 2)
        ) as value_high,
        cast('newcombe' as {{ dbt.type_string() }}) as interval_method
    from (
        select
            counts.*,
            cast(tp as {{ mlmon.type_double() }}) / nullif(tp + fn, 0) as recall,
            cast(tn as {{ mlmon.type_double() }}) / nullif(tn + fp, 0) as specificity
        from {{ relation }} as counts
    ) as shares
    where recall is not null and specificity is not null
{%- endmacro %}

{# Balanced accuracy, and how it moves with each count. #}
{% macro balanced_accuracy_value(tp, fp, fn, tn) %}
    {%- set double = mlmon.type_double() -%}
    {{- return(
        "(0.5 * cast(" ~ tp ~ " as " ~ double ~ ") / nullif(" ~ tp ~ " + " ~ fn ~ ", 0) + 0.5 * cast(" ~ tn ~ " as "
        ~ double ~ ") / nullif(" ~ tn ~ " + " ~ fp ~ ", 0))"
    ) -}}
{% endmacro %}

{% macro balanced_accuracy_gradients(tp, fp, fn, tn) %}
    {%- set found = {} -%}
    {%- for cell, sign, other, own in [
        ('tp', '', fn, tp), ('fn', '-', tp, fn), ('tn', '', fp, tn), ('fp', '-', tn, fp),
    ] -%}
        {%- set margin = mlmon.one_over("nullif(" ~ own ~ " + " ~ other ~ ", 0)") -%}
        {%- do found.update({cell: sign ~ "0.5 * " ~ other ~ " * " ~ margin ~ " * " ~ margin}) -%}
    {%- endfor -%}
    {{- return(found) -}}
{% endmacro %}

{# Two-sided p of a standard normal deviate; cut at 1, which the fit of erfc exceeds by 3e-8 near 0. #}
{% macro normal_p(z) %}
    {{- return("least(1.0, " ~ mlmon.erfc("(abs(" ~ z ~ ") / sqrt(2.0))") ~ ")") -}}
{% endmacro %}
