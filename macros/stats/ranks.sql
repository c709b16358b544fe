{#
    The metrics that rank scores, from labels counted by score cell: roc_auc, ties counting half, with DeLong's interval, and
    average_precision with the logit interval (Boyd, Eng and Page 2013). Both intervals use Student's t where few rows carry
    them: roc_auc with fewer than fifty of the rarer class, then on the scale of the logit as well; average_precision with
    fewer than fifty positives.

    A cell hides the order of its scores only where those of both classes overlap in it; there half of its pairs are taken
    to be in order. value_error is what the value could be off by, 0 where no cell hides anything (docs/numbers.md).

    cells: a relation of the given columns, cell, n_positive, n_negative, and the bounds of the scores of both: positive_min,
    positive_max, negative_min, negative_max
    excluded: a relation of the given columns and n_excluded, the labels without a score
#}
{% macro rank_metrics(cells, excluded, columns) %}
    {%- set group = columns | join(', ') %}
    with cumulated as (
        select
            cells.*,
            sum(n_positive) over falling - n_positive as positives_above,
            sum(n_negative) over falling - n_negative as negatives_above,
            -- Where the negatives of the cell lie against its positives: above them (1), below (0), among them.
            case
                when n_positive = 0 or n_negative = 0 or positive_min > negative_max then 0
                when negative_min > positive_max then 1
                else 0.5
            end as share_above,
            coalesce(
                n_positive > 0 and n_negative > 0
                and positive_min <= negative_max and negative_min <= positive_max
                and not (positive_min = negative_max and negative_min = positive_max),
                false
            ) as is_hidden
        from (
            select
                {{ group }},
                cell,
                cast(n_positive as {{ mlmon.type_double() }}) as n_positive,
                cast(n_negative as {{ mlmon.type_double() }}) as n_negative,
                positive_min,
                positive_max,
                negative_min,
                negative_max
            from {{ cells }}
        ) as cells
        window falling as (
            partition by {{ group }} order by cell desc
            rows between unbounded preceding and current row
        )
    ),

    placed as (
        select
            cumulated.*,
            negatives_above + share_above * n_negative as above_positives,
            positives_above + (1 - share_above) * n_positive as above_negatives,
            -- For average_precision: the negatives above all positives of the cell, and those between them.
            case when is_hidden then negatives_above else negatives_above + floor(share_above) * n_negative end
                as negatives_before,
            case when is_hidden then n_negative else 0 end as negatives_among,
            coalesce(not is_hidden and share_above = 0.5, false) as is_tied,
            coalesce(positive_min = positive_max, false) as is_one_score
        from cumulated
    ),

    -- Of p positives at different scores the i-th has the precision (A + i) / (A + i + negatives at or above it). Their sum
    -- is taken by Simpson's rule over the first, the middle and the last of them.
    summed as (
        select
            placed.*,
            case
                when n_positive = 0 then 0
                when is_tied then {{ mlmon.precision_at('n_positive', 'negatives_before + n_negative') }} * n_positive
                when is_one_score and not is_hidden
                    then {{ mlmon.precision_at('n_positive', 'negatives_before') }} * n_positive
                else n_positive / 6 * (
                    {{ mlmon.precision_at('1', 'negatives_before + negatives_among / (n_positive + 1)') }}
                    + 4 * {{ mlmon.precision_at('(n_positive + 1) / 2', 'negatives_before + negatives_among / 2') }}
                    + {{ mlmon.precision_at(
                        'n_positive', 'negatives_before + negatives_among * n_positive / (n_positive + 1)'
                    ) }}
                )
            end as precision_sum,
            case
                when n_positive > 0 and (is_hidden or not (is_tied or is_one_score))
                    then {{ mlmon.precision_at('n_positive', 'negatives_before') }} * n_positive
            end as precision_most,
            -- A concave sequence lies above the straight line from its first to its last.
            case
                when n_positive > 0 and (is_hidden or not (is_tied or is_one_score))
                    then n_positive / 2 * (
                        {{ mlmon.precision_at('1', 'negatives_before + negatives_among') }}
                        + {{ mlmon.precision_at('n_positive', 'negatives_before + negatives_among') }}
                    )
            end as precision_least
        from placed
    ),

    sums as (
        select
            {{ group }},
            sum(n_positive) as n_positive,
            sum(n_negative) as n_negative,
            sum(n_positive * above_positives) as negatives_above,
            sum(n_positive * above_positives * above_positives) as negatives_above_squares,
            sum(n_negative * above_negatives * above_negatives) as positives_above_squares,
            sum(case when is_hidden then 0.5 * n_positive * n_negative else 0 end) as hidden_pairs,
            sum(precision_sum) as precision_sum,
            coalesce(sum(precision_most - precision_sum), 0) as precision_above,
            coalesce(sum(precision_sum - precision_least), 0) as precision_below
        from summed
        group by {{ group }}
    ),

    -- DeLong's components: of each positive the share of negatives below it, of each negative the share of positives above
    -- it.
    components as (
        select
            {%- for column in columns %}
            excluded.{{ column }},
            {%- endfor %}
            excluded.n_excluded,
            n_positive,
            n_negative,
            1 - negatives_above / nullif(n_positive, 0) / nullif(n_negative, 0) as value,
            hidden_pairs / nullif(n_positive, 0) / nullif(n_negative, 0) as value_error,
            precision_sum / nullif(n_positive, 0) as average_precision,
            greatest(0, precision_above, precision_below) / nullif(n_positive, 0) as precision_error,
            negatives_above_squares / nullif(n_negative, 0) / nullif(n_negative, 0) as positive_squares,
            positives_above_squares / nullif(n_positive, 0) / nullif(n_positive, 0) as negative_squares
        from {{ excluded }} as excluded
        left join sums
            on
                {%- for column in columns %}
                {{ 'and ' if not loop.first }}excluded.{{ column }} = sums.{{ column }}
                {%- endfor %}
    ),

    varied as (
        select
            components.*,
            case
                when n_positive > 1 and n_negative > 1
                    then
                        greatest(0, positive_squares - n_positive * (1 - value) * (1 - value))
                        / (n_positive - 1) / n_positive
                        + greatest(0, negative_squares - n_negative * value * value)
                        / (n_negative - 1) / n_negative
            end as variance,
            least(n_positive, n_negative) as n_rarest,
            case
                when average_precision > 0 and average_precision < 1
                    -- Beyond 600 the bounds are 0 and 1, and exp overflows.
                    then
                        least(
                            {{ mlmon.quantile_of('n_positive') }}
                            / sqrt(n_positive * average_precision * (1 - average_precision)),
                            600
                        )
            end as logit_width
        from components
    )

    select
        {{ group }},
        cast('roc_auc' as {{ dbt.type_string() }}) as metric,
        cast('all' as {{ dbt.type_string() }}) as class_label,
        value,
        interval_variance as variance,
        cast(coalesce(n_positive + n_negative, 0) as bigint) as n,
        cast(n_excluded as bigint) as n_excluded,
        value_low,
        value_high,
        interval_method,
        value_error
    from ({{ mlmon.rank_intervals('varied', 'n_rarest < 50') }}) as bounded

    union all

    select
        {{ group }},
        cast('average_precision' as {{ dbt.type_string() }}) as metric,
        cast('all' as {{ dbt.type_string() }}) as class_label,
        average_precision as value,
        average_precision * (1 - average_precision) / nullif(n_positive, 0) as variance,
        cast(coalesce(n_positive + n_negative, 0) as bigint) as n,
        cast(n_excluded as bigint) as n_excluded,
        1 / (1 + (1 - average_precision) / average_precision * exp(logit_width)) as value_low,
        1 / (1 + (1 - average_precision) / average_precision * exp(-logit_width)) as value_high,
        cast('logit' as {{ dbt.type_string() }}) as interval_method,
        precision_error as value_error
    from varied
{% endmacro %}

{# The share of positives among the labels above a place of a cell and the first `i` positives and some negatives of it. #}
{% macro precision_at(i, negatives) %}
    {{- return("((positives_above + " ~ i ~ ") / (positives_above + " ~ i ~ " + " ~ negatives ~ "))") -}}
{% endmacro %}
