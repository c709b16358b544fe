{# The log loss of the score of the label's class, clipped as scikit-learn does: by the spacing of doubles at 1. NULL of none. #}
{% macro log_loss_of(score) %}
    {%- set floor = '2.220446049250313e-16' -%}
    {{- return(
        "case when " ~ score ~ " is not null then 0 - ln(least(greatest(" ~ score ~ ", " ~ floor ~ "), 1 - " ~ floor
        ~ ")) end"
    ) -}}
{% endmacro %}

{# How many digits of scores any monitor tells apart. #}
{% macro score_digits() %}{{- return(mlmon.monitors() | map(attribute='score_digits') | unique | sort | list or [3]) -}}{% endmacro %}

{# The most edges that the bins of a numeric slot can have in any monitor. #}
{% macro most_edges(slot) %}
    {%- for n_edges, slots in mlmon.numeric_slots_by_edges().items() if slot in slots.values() -%}
        {{- return(n_edges) -}}
    {%- endfor -%}
    {{- return(1) -}}
{% endmacro %}

{#
    The metrics of scores that are sums, from a relation of sums per population, segment and score bin: the given columns and
    those of metric_columns(). ECE needs the reference's bins; the parts of the Brier score add up to it, what lies within
    the bins being the rest (Murphy 1973; Stephenson 2008).

    ECE is a sum of absolute gaps, and a gap that chance makes counts like any other. Its interval takes each bin's gap as
    normal, so its size as a folded normal: off the upper end goes what chance adds to gaps as large as those seen, off the
    lower end what it may add to any gap, which is more (see docs/decisions/22-ece-interval.md). A bin without a positive
    label, or with one row, has no spread to be seen: there it is that of labels drawn with the scores.

    Mean losses have mean_bound(). Where labels and scores agree that one class is scarce, the few that are seen of it do not
    tell how losses vary: there the spread is no less than that of labels drawn with the scores.
#}
{% macro score_metrics(bins, columns) %}
    {%- set double = mlmon.type_double() %}
    with summed as (
        select
            {{ columns | join(', ') }},
            sum(case when bin_index < 0 then n else 0 end) as n_excluded,
            sum(case when bin_index < 0 then 0 else n end) as n,
            sum(case when bin_index < 0 then null else n_positive end) as n_positive,
            sum(case when bin_index < 0 then null else score_sum end) as score_sum,
            {%- for metric, slope in mlmon.loss_slopes().items() %}
            sum(case when bin_index < 0 then null else drawn_spread * {{ slope }} end) as {{ metric }}_drawn,
            {%- endfor %}
            {{ mlmon.sum_from_0('squared_sum') }} as squared_sum,
            {{ mlmon.sum_from_0('squared_squares') }} as squared_squares,
            -- A label whose class no score is for has an infinite loss, and the mean is none.
            case when sum(case when bin_index = -2 then n else 0 end) = 0 then {{ mlmon.sum_from_0('log_loss_sum') }} end
                as log_loss_sum,
            {{ mlmon.sum_from_0('log_loss_squares') }} as log_loss_squares,
            sum(case when bin_index >= 0 then abs(score_sum - n_positive) end) as gap_sum,
            -- NULL where no bin has a spread: nothing is left to chance there.
            coalesce(sum(gap_spread * gap_spread), 0) as gap_variance,
            coalesce(sum(gap_spread * {{ mlmon.folded_excess('gap_size') }}), 0) as likely_excess,
            coalesce(sum(gap_spread * {{ mlmon.most_folded_excess('gap_size') }}), 0) as most_excess,
            sum(case when bin_index >= 0 then {{ mlmon.square('(score_sum - n_positive)') }} / n end) as gap_squares,
            sum(
                case when bin_index >= 0 then cast(n_positive as {{ double }}) * n_positive / n end
            ) as rate_squares
        from (
            select
                spread.*,
                abs(score_sum - n_positive) / nullif(gap_spread, 0) as gap_size,
                -- Of the number of positive labels of a bin, were they drawn with its mean score.
                n * mean_score * (1 - mean_score) as drawn_spread
            from (
                select
                    sums.*,
                    score_sum / nullif(n, 0) as mean_score,
                    -- How far the sum of the gaps of a bin's rows may be off by chance.
                    case
                        when bin_index >= 0 and n > 0
                            then sqrt(greatest(
                                0,
                                score_sum * (1 - score_sum / n),
                                coalesce(
                                    (squared_sum - {{ mlmon.square('(score_sum - n_positive)') }} / n)
                                    / nullif(n - 1, 0) * n,
                                    0
                                )
                            ))
                    end as gap_spread
                from {{ bins }} as sums
            ) as spread
        ) as spread_bins
        group by {{ columns | join(', ') }}
    )
    {%- for metric, parts in {
        'brier': ('squared_sum', 'squared_squares'), 'log_loss': ('log_loss_sum', 'log_loss_squares'),
    }.items() %}

    select
        {{ columns | join(', ') }},
        cast('{{ metric }}' as {{ dbt.type_string() }}) as metric,
        cast('all' as {{ dbt.type_string() }}) as class_label,
        value,
        standard_error * standard_error as variance,
        cast(n as bigint) as n,
        cast(n_excluded as bigint) as n_excluded,
        {{ mlmon.mean_bound('value', 'standard_error', 'n_effective', '-') }} as value_low,
        {{ mlmon.mean_bound('value', 'standard_error', 'n_effective', '+') }} as value_high,
        case
            when is_scarce then cast('normal_drawn' as {{ dbt.type_string() }})
            else {{ mlmon.mean_method('n_effective', 'normal') }}
        end as interval_method
    from (
        select
            varied.*,
            case
                when is_scarce and variance is not null
                    then sqrt(greatest(variance, {{ metric }}_drawn / n / n))
                else sqrt(variance)
            end as standard_error,
            case when not is_scarce then {{ mlmon.effective_n(*parts) }} end as n_effective
        from (
            select
                summed.*,
                {{ parts[0] }} / nullif(n, 0) as value,
                {{ mlmon.mean_variance(parts[0], parts[1], 'n') }} as variance,
                coalesce(
                    n >= 40
                    and least(n_positive, n - n_positive) < 20
                    and least(score_sum, n - score_sum) < 20,
                    false
                ) as is_scarce
            from summed
        ) as varied
    ) as bounded

    union all
    {%- endfor %}
    select
        {{ columns | join(', ') }},
        cast('ece' as {{ dbt.type_string() }}) as metric,
        cast('all' as {{ dbt.type_string() }}) as class_label,
        value,
        -- Not one that differences could be told by: that of samples of other sizes is off by another excess.
        cast(null as {{ double }}) as variance,
        cast(n as bigint) as n,
        cast(n_excluded as bigint) as n_excluded,
        case when value is not null then greatest(0, value - most_excess / n - margin) end as value_low,
        case
            when value is not null
                then least(1, greatest(value, value - likely_excess / n + margin))
        end as value_high,
        case when value is not null then cast('folded_normal' as {{ dbt.type_string() }}) end
            as interval_method
    from (
        select
            summed.*,
            gap_sum / nullif(n, 0) as value,
            1.959963984540054 * sqrt(
                gap_variance + greatest(0, gap_squares - gap_sum * gap_sum / nullif(n, 0))
            ) / nullif(n, 0) as margin
        from summed
    ) as gaps

    union all
    {%- for metric, value in {
        'brier_reliability': 'gap_squares / nullif(n, 0)',
        'brier_resolution':
            '(rate_squares - cast(n_positive as ' ~ double ~ ') * n_positive / nullif(n, 0)) / nullif(n, 0)',
        'brier_uncertainty':
            'cast(n_positive as ' ~ double ~ ') * (n - n_positive) / nullif(n, 0) / nullif(n, 0)',
        'brier_within_bins':
            '(squared_sum - gap_squares + rate_squares - n_positive) / nullif(n, 0)',
    }.items() %}

    select
        {{ columns | join(', ') }},
        cast('{{ metric }}' as {{ dbt.type_string() }}) as metric,
        cast('all' as {{ dbt.type_string() }}) as class_label,
        {{ value }} as value,
        cast(null as {{ double }}) as variance,
        cast(n as bigint) as n,
        cast(n_excluded as bigint) as n_excluded,
        cast(null as {{ double }}) as value_low,
        cast(null as {{ double }}) as value_high,
        cast(null as {{ dbt.type_string() }}) as interval_method
    from summed
    {%- if not loop.last %}

    union all
    {%- endif %}
    {%- endfor %}
{% endmacro %}

{# A sum that cannot be below 0, but for what rounding leaves where labels were replaced. NULL of none. #}
{% macro sum_from_0(column) %}
    {{- return("case when sum(" ~ column ~ ") < 0 then 0 else sum(" ~ column ~ ") end") -}}
{% endmacro %}

{# How far a row's loss moves, squared, where its label turns from one class to the other, at the mean score of a bin. #}
{% macro loss_slopes() %}
    {%- set score = "least(greatest(mean_score, 1e-15), 1 - 1e-15)" -%}
    {{- return({
        'brier': '(1 - 2 * mean_score) * (1 - 2 * mean_score)',
        'log_loss': 'power(ln(' ~ score ~ ' / (1 - ' ~ score ~ ')), 2)',
    }) -}}
{% endmacro %}

{#
    How much greater a normal gap is in size than its mean, in standard deviations, where the mean is x of them:
    E|x + Z| - x. And a bound on it that is unbiased at 0 and too large elsewhere: its mean is that of exp(-x² / 4).
#}
{% macro folded_excess(x) %}
    {{- return(
        "(0.7978845608028654 * " ~ mlmon.bounded_exp("(-0.5 * " ~ x ~ " * " ~ x ~ ")") ~ " - " ~ x ~ " * "
        ~ mlmon.erfc("(" ~ x ~ " / 1.4142135623730951)") ~ ")"
    ) -}}
{% endmacro %}

{% macro most_folded_excess(x) %}
    {{- return("1.1283791670955126 * " ~ mlmon.bounded_exp("(-0.5 * " ~ x ~ " * " ~ x ~ ")")) -}}
{% endmacro %}
