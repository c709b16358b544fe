{#
    The drift statistics of bins by name. Where p and q are the shares of reference and current in a bin, `of_bins` adds
    up the bins of a comparison and `value` is the statistic, NULL where a side has no rows; `effect` is the smallest that
    chance alone would seldom reach, where {x} is what psi then is. A statistic that is added here is computed, judged by
    what drift_thresholds.csv says, and held against the reference's own variation; mlmon_metrics.csv says what it is.
#}
{% macro binned_methods() %}
    {{- return({
        'psi': {
            'of_bins': 'case when count(psi_contribution) = count(*) then sum(psi_contribution) end',
            'value': 'of_psi', 'effect': '{x}',
        },
        'js_distance': {'value': 'sqrt(of_js_divergence)', 'effect': 'sqrt({x} / (8 * ln(2.0)))'},
        'js_divergence': {
            'of_bins': 'greatest(sum(' ~ mlmon.js_term('p', 'q') ~ ') / 2 + sum(' ~ mlmon.js_term('q', 'p') ~ ') / 2, 0)',
            'value': 'of_js_divergence', 'effect': '{x} / (8 * ln(2.0))',
        },
        'hellinger': {
            'of_bins': 'sum((sqrt(p) - sqrt(q)) * (sqrt(p) - sqrt(q))) / 2',
            'value': 'sqrt(of_hellinger)', 'effect': 'sqrt({x} / 8)',
        },
        'total_variation': {
            'of_bins': 'sum(abs(q - p)) / 2', 'value': 'of_total_variation', 'effect': 'sqrt({x}) / 2',
        },
        'l_infinity': {'of_bins': 'max(abs(q - p))', 'value': 'of_l_infinity', 'effect': 'sqrt({x}) / 2'},
    }) -}}
{% endmacro %}

{#
    Every statistic of bin counts, one row per key: `shares` is a relation as shares_of_counts() makes it, reduced to
    the bins that are compared. Beside the statistics stands what their p-values are made from: Pearson's chi-square
    over the bins that are dense enough for it, the counts of the sparse ones, and the same test with the sparse
    bins in the smallest dense one (pooled_chi_square), for warehouses without Fisher's exact test. Both have the
    dense bins' degrees of freedom; without any they are below 1 and there is nothing to test.
#}
{% macro binned_statistics(shares, keys) %}
    {%- set keys = keys | join(', ') -%}
    {%- set double = mlmon.type_double() %}
    select
        statistics.*,
        {%- for method, statistic in mlmon.binned_methods().items() %}
        case when is_defined then {{ statistic.value }} end as {{ method }},
        {%- endfor %}
        case when is_defined then chi_square_sum end as chi_square,
        n_dense_bins - 1 as degrees_of_freedom
    from (
        select
            {{ keys }},
            max(n_reference) as n_reference,
            max(n_current) as n_current,
            max(n_reference) > 0 and max(n_current) > 0 as is_defined,
            count(*) as n_bins,
            {%- for method, statistic in mlmon.binned_methods().items() if statistic.of_bins %}
            {{ statistic.of_bins }} as of_{{ method }},
            {%- endfor %}
            sum({{ mlmon.pearson_term('reference_count', 'current_count', 'n_reference', 'n_current') }})
                as chi_square_sum,
            sum(case when is_sparse then 0 else 1 end) as n_dense_bins,
            sum(case when is_sparse then reference_count else 0 end) as sparse_reference,
            sum(case when is_sparse then current_count else 0 end) as sparse_current,
            sum(
                case
                    when not is_sparse
                        then {{ mlmon.pearson_term(
                            'reference_count', 'current_count', 'dense_reference', 'dense_current'
                        ) }}
                end
            ) as dense_chi_square,
            sum(
                case
                    when not is_sparse and density_rank > 1
                        then {{ mlmon.pearson_term(
                            'reference_count', 'current_count', 'n_reference', 'n_current'
                        ) }}
                    when density_rank = 1
                        then {{ mlmon.pearson_term(
                            '(n_reference - dense_reference + reference_count)',
                            '(n_current - dense_current + current_count)',
                            'n_reference', 'n_current'
                        ) }}
                end
            ) as pooled_chi_square
        from (
            select
                marked.*,
                sum(case when is_sparse then 0 else reference_count end)
                    over (partition by {{ keys }}) as dense_reference,
                sum(case when is_sparse then 0 else current_count end)
                    over (partition by {{ keys }}) as dense_current,
                row_number() over (
                    partition by {{ keys }}
                    order by
                        case when is_sparse then 1 else 0 end,
                        reference_count + current_count,
                        bin_index
                ) as density_rank
            from (
                select
                    shares.*,
                    -- Whole numbers, which doubles hold exactly: no rounding decides it.
                    cast(reference_count + current_count as {{ double }})
                    * least(n_reference, n_current) < 2 * (n_reference + n_current) as is_sparse
                from {{ shares }} as shares
            ) as marked
        ) as ranked
        group by {{ keys }}
    ) as statistics
{% endmacro %}

{# One bin's part of Pearson's chi-square of a 2 x B table with row sums n and m; 0 where a side has no row. #}
{% macro pearson_term(a, b, n, m) %}
    {%- set double = mlmon.type_double() -%}
    {%- set difference = "(cast(" ~ a ~ " as " ~ double ~ ") * " ~ m ~ " - cast(" ~ b ~ " as " ~ double ~ ") * " ~ n ~ ")" -%}
    {{- return(
        "case when " ~ n ~ " > 0 and " ~ m ~ " > 0 and " ~ a ~ " + " ~ b ~ " > 0 then " ~ difference
        ~ " * " ~ difference ~ " / (cast(" ~ n ~ " as " ~ double ~ ") * " ~ m ~ " * (" ~ a ~ " + " ~ b
        ~ ")) else 0 end"
    ) -}}
{% endmacro %}
