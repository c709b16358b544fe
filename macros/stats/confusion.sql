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
    The binary metrics of one relation of the cells tp, fp, fn, tn and n_excluded, below each other: the given columns and
    those of metric_columns(). Proportions have Wilson's 95 % interval; the others that of the delta method over the
    multinomial counts, cut to their range. Undefined (0/0) is NULL.
#}
{% macro binary_metrics(relation, columns) %}
    {%- for metric, parts in {
        'accuracy': ('tp + tn', 'tp + fp + fn + tn'),
        'precision': ('tp', 'tp + fp'),
        'recall': ('tp', 'tp + fn'),
        'specificity': ('tn', 'tn + fp'),
        'predicted_positive_rate': ('tp + fp', 'tp + fp + fn + tn'),
        'prevalence': ('tp + fn', 'tp + fp + fn + tn'),
    }.items() %}
    {{ mlmon.proportion_metric(relation, columns, metric, "'all'", parts[0], parts[1]) }}

    union all
    {% endfor %}
    {{ mlmon.delta_metric(relation, columns, 'f1', "'all'", *mlmon.f1_parts('tp', 'fp', 'fn'), floor=0, ceiling=1) }}

    union all

    {{ mlmon.balanced_accuracy(relation, columns) }}

    union all

    {{ mlmon.delta_metric(relation, columns, 'mcc', "'all'", *mlmon.mcc_parts(), floor=-1, ceiling=1) }}
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

{# A metric of counts with the interval of the delta method: its value, its variance, and its range. #}
{% macro delta_metric(relation, columns, metric, class_label, value, variance, n, floor, ceiling) %}
    select
        {{ columns | join(', ') }},
        cast('{{ metric }}' as {{ dbt.type_string() }}) as metric,
        cast({{ class_label }} as {{ dbt.type_string() }}) as class_label,
        value,
        variance,
        cast(n as bigint) as n,
        cast(n_excluded as bigint) as n_excluded,
        case when variance > 0 then greatest({{ floor }}, value - 1.959963984540054 * sqrt(variance)) end
            as value_low,
        case when variance > 0 then least({{ ceiling }}, value + 1.959963984540054 * sqrt(variance)) end
            as value_high,
        cast('delta' as {{ dbt.type_string() }}) as interval_method
    from (
        select
            metrics.*,
            {{ variance }} as variance
        from (
            select
                counts.*,
                {{ n }} as n,
                {{ value }} as value
            from {{ relation }} as counts
        ) as metrics
    ) as varied
{%- endmacro %}

{# Value, variance and n of f1, from true positives, false positives and false negatives. #}
{% macro f1_parts(tp, fp, fn) %}
    {%- set double = mlmon.type_double() -%}
    {%- set whole = "cast(2 * " ~ tp ~ " + " ~ fp ~ " + " ~ fn ~ " as " ~ double ~ ")" -%}
    {{- return([
        "cast(2 * " ~ tp ~ " as " ~ double ~ ") / nullif(" ~ whole ~ ", 0)",
        "4 * cast(" ~ tp ~ " as " ~ double ~ ") * (" ~ fp ~ " + " ~ fn ~ ") * (" ~ tp ~ " + " ~ fp ~ " + " ~ fn
        ~ ") / nullif(" ~ [whole, whole, whole, whole] | join(" * ") ~ ", 0)",
        "tp + fp + fn + tn" if tp == 'tp' else "n_rows",
    ]) -}}
{% endmacro %}

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

{# Matthews' correlation coefficient; its gradient by each count, over the root of the four margins. #}
{% macro mcc_parts() %}
    {%- set double = mlmon.type_double() -%}
    {%- set root = "nullif(sqrt(cast(tp + fp as " ~ double ~ ") * (tp + fn)) * sqrt(cast(tn + fp as " ~ double
        ~ ") * (tn + fn)), 0)" -%}
    {%- set gradients = [] -%}
    {%- for cell, opposite, sign, first, second in [
        ('tp', 'tn', '', 'tp + fp', 'tp + fn'), ('fp', 'fn', '-', 'tp + fp', 'tn + fp'),
        ('fn', 'fp', '-', 'tp + fn', 'tn + fn'), ('tn', 'tp', '', 'tn + fp', 'tn + fn'),
    ] -%}
        {%- do gradients.append((
            cell,
            "(" ~ sign ~ opposite ~ " / " ~ root ~ " - value / 2 * (1.0 / nullif(" ~ first ~ ", 0) + 1.0 / nullif("
            ~ second ~ ", 0)))",
        )) -%}
    {%- endfor -%}
    {%- set squares = [] -%}
    {%- set sums = [] -%}
    {%- for cell, gradient in gradients -%}
        {%- do squares.append(cell ~ " * " ~ gradient ~ " * " ~ gradient) -%}
        {%- do sums.append(cell ~ " * " ~ gradient) -%}
    {%- endfor -%}
    {%- set total = "(" ~ sums | join(" + ") ~ ")" -%}
    {{- return([
        "(cast(tp as " ~ double ~ ") * tn - cast(fp as " ~ double ~ ") * fn) / " ~ root,
        squares | join(" + ") ~ " - " ~ total ~ " * " ~ total ~ " / (tp + fp + fn + tn)",
        "tp + fp + fn + tn",
    ]) -}}
{% endmacro %}

{# One end of Wilson's 95 % score interval of a proportion (Wilson 1927); exactly 0 of none and 1 of all. #}
{% macro wilson_bound(share, n, sign) %}
    {%- set z2 = '3.8414588206941285' -%}
    {%- set n = "cast(" ~ n ~ " as " ~ mlmon.type_double() ~ ")" -%}
    {%- set raw = "(" ~ share ~ " + " ~ z2 ~ " / (2 * " ~ n ~ ") " ~ sign ~ " 1.959963984540054 * sqrt("
        ~ share ~ " * (1 - " ~ share ~ ") / " ~ n ~ " + " ~ z2 ~ " / (4 * " ~ n ~ " * " ~ n
        ~ "))) / (1 + " ~ z2 ~ " / " ~ n ~ ")" -%}
    {{- return(
        "case when " ~ share ~ " = " ~ ('0 then 0.0' if sign == '-' else '1 then 1.0') ~ " when " ~ share
        ~ " is not null then " ~ ("greatest(0, " if sign == '-' else "least(1, ") ~ raw ~ ") end"
    ) -}}
{% endmacro %}

{# Two-sided p of a standard normal deviate; cut at 1, which the fit of erfc exceeds by 3e-8 near 0. #}
{% macro normal_p(z) %}
    {{- return("least(1.0, " ~ mlmon.erfc("(abs(" ~ z ~ ") / sqrt(2.0))") ~ ")") -}}
{% endmacro %}
