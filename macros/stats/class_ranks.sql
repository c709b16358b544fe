{#
    ROC AUC of each class against the rest, from rows of the given keys, row_id, class_number, score, n alike and the
    probability that their label is the class (1 or 0 where it is known): per row and class, auc (ties counting half), the
    expected labels of the class and of the rest, and how far the mean AUC over classes moves by one label of the class
    (if_class), or of another (if_rest). Those are DeLong's components (1988). Only classes that both sides have rows of.
#}
{% macro class_rank_parts(relation, keys) %}
    {%- set group = keys | join(', ') %}
    select
        placed.*,
        (rest_below - auc) / of_class as if_class,
        (class_above - auc) / of_rest as if_rest
    from (
        select
            shares.*,
            sum(positives * rest_below) over (
                partition by {{ group }}, class_number
            ) / of_class as auc
        from (
            select
                sums.*,
                (negatives_through - 0.5 * negatives_at) / nullif(of_rest, 0) as rest_below,
                (of_class - positives_through + 0.5 * positives_at) / nullif(of_class, 0) as class_above
            from (
                select
                    counted.*
                    {%- for side, total in {'positives': 'of_class', 'negatives': 'of_rest'}.items() %},
                    sum({{ side }}) over (partition by {{ group }}, class_number) as {{ total }},
                    sum({{ side }}) over (partition by {{ group }}, class_number, score) as {{ side }}_at,
                    sum({{ side }}) over (
                        partition by {{ group }}, class_number order by score
                        range between unbounded preceding and current row
                    ) as {{ side }}_through
                    {%- endfor %}
                from (
                    select
                        given.*,
                        given.n * given.probability as positives,
                        given.n * (1 - given.probability) as negatives
                    from {{ relation }} as given
                ) as counted
            ) as sums
        ) as shares
        where of_class > 0 and of_rest > 0
    ) as placed
{% endmacro %}
