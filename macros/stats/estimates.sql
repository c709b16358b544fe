{#
    Metrics of expected counts, below each other: the given columns, metric, value, value_error and the variance of the
    realised one if every label is drawn with its probability, by the delta method; of roc_auc that of Hanley and McNeil (1982).
    Of a ratio of the confusion matrix it follows from how far the ratio moves if the label of a row that is predicted positive,
    or of one that is not, turns positive.

    value_error is what cells hide. tp may be higher by tp_more, with fp lower by as much, or lower by tp_less; fn and tn
    likewise. A ratio is farthest off where both are at an end. For roc_auc it is the order inside the cells, and what
    probabilities that are off add to it in the first order.
#}
{% macro estimated_metrics(relation, columns) %}
    {%- set auc = '(1 - negatives_above / nullif(positives, 0) / nullif(negatives, 0))' -%}
    {%- for metric, ratio in mlmon.estimated_ratios().items() %}
    {%- set moves = {} -%}
    {%- for side, weights in ratio.items() -%}
        {%- do moves.update({
            side ~ '_positive': weights.get('tp', 0) - weights.get('fp', 0),
            side ~ '_negative': weights.get('fn', 0) - weights.get('tn', 0),
        }) -%}
    {%- endfor %}
    select
        {{ columns | join(', ') }},
        cast('{{ metric }}' as {{ dbt.type_string() }}) as metric,
        value,
        greatest(
            {%- for tp in ['tp_more', '(0 - tp_less)'] %}
            {%- set last = loop.last %}
            {%- for fn in ['fn_more', '(0 - fn_less)'] %}
            -- Where nothing is left below the line the ratio could be anything.
            abs(value - least(1, greatest(0, coalesce(
                (part + {{ moves.part_positive }} * {{ tp }} + {{ moves.part_negative }} * {{ fn }})
                / nullif(whole + {{ moves.whole_positive }} * {{ tp }} + {{ moves.whole_negative }} * {{ fn }}, 0),
                case when value > 0.5 then 0 else 1 end
            )))){{ ',' if not (last and loop.last) }}
            {%- endfor %}
            {%- endfor %}
        ) as value_error,
        positive_variance * by_positive * by_positive + negative_variance * by_negative * by_negative
            as variance
    from (
        select
            valued.*,
            ({{ moves.part_positive }} - value * {{ moves.whole_positive }}) / whole as by_positive,
            ({{ moves.part_negative }} - value * {{ moves.whole_negative }}) / whole as by_negative
        from (
            select
                counts.*,
                {{ mlmon.weighted_cells(ratio.part) }} as part,
                nullif({{ mlmon.weighted_cells(ratio.whole) }}, 0) as whole,
                ({{ mlmon.weighted_cells(ratio.part) }}) / nullif({{ mlmon.weighted_cells(ratio.whole) }}, 0) as value
            from {{ relation }} as counts
        ) as valued
    ) as moved

    union all
    {% endfor %}
    select
        {{ columns | join(', ') }},
        cast('roc_auc' as {{ dbt.type_string() }}) as metric,
        auc as value,
        (hidden_pairs + all_error * (positives + negatives) * greatest(auc, 1 - auc))
        / nullif(positives, 0) / nullif(negatives, 0) as value_error,
        greatest(
            0,
            auc * (1 - auc) + (positives - 1) * (auc / (2 - auc) - auc * auc)
            + (negatives - 1) * (2 * auc * auc / (1 + auc) - auc * auc)
        ) / nullif(positives * negatives, 0)
        * {{ mlmon.calibration_factor('(positives + negatives)', 'n_reference') }} as variance
    from (
        select
            counts.*,
            {{ auc }} as auc
        from {{ relation }} as counts
    ) as ranked
{% endmacro %}

{# The ratios of a confusion matrix that are estimated: those that are not known without labels. #}
{% macro estimated_ratios() %}
    {%- set ratios = mlmon.confusion_ratios() -%}
    {%- for metric in mlmon.ratios_regardless_of('label') -%}{%- do ratios.pop(metric) -%}{%- endfor -%}
    {{- return(ratios) -}}
{% endmacro %}

{# The probability that an interval of a calibration map gives a score. #}
{% macro mapped_probability(score, maps) %}
    {{- return(
        "least(1, greatest(0, " ~ maps ~ ".probability + " ~ maps ~ ".slope * "
        ~ mlmon.without_underflow(score ~ " - " ~ maps ~ ".score") ~ "))"
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
