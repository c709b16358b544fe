{#
    Counts of two sides as shares under the policies of their column, bin by bin: `relation` has the keys,
    smoothing, missing_policy, bin_kind, reference_count and current_count. Adds is_compared (with missing: drop
    the missing bin takes no part), n_reference, n_current, the shares p and q, and the bin's part of the PSI.
#}
{% macro shares_of_counts(relation, keys) %}
    {%- set keys = keys | join(', ') %}
    select
        smoothed.*,
        case
            when is_compared
                then cast(reference_count as {{ mlmon.type_double() }}) / nullif(n_reference, 0)
        end as p,
        case
            when is_compared
                then cast(current_count as {{ mlmon.type_double() }}) / nullif(n_current, 0)
        end as q,
        case
            when n_reference > 0 and n_current > 0 and smoothed_p > 0 and smoothed_q > 0
                then (smoothed_q - smoothed_p) * ln(smoothed_q / smoothed_p)
        end as psi_contribution
    from (
        select
            raised.*,
            raw_p / nullif(sum(raw_p) over (partition by {{ keys }}), 0) as smoothed_p,
            raw_q / nullif(sum(raw_q) over (partition by {{ keys }}), 0) as smoothed_q
        from (
            select
                totals.*,
                case
                    when is_compared
                        then {{ mlmon.smoothed_share('reference_count', 'n_reference', 'smoothing') }}
                end as raw_p,
                case
                    when is_compared
                        then {{ mlmon.smoothed_share('current_count', 'n_current', 'smoothing') }}
                end as raw_q
            from (
                select
                    marked.*,
                    cast(
                        sum(case when is_compared then reference_count else 0 end)
                            over (partition by {{ keys }}) as bigint
                    ) as n_reference,
                    cast(
                        sum(case when is_compared then current_count else 0 end)
                            over (partition by {{ keys }}) as bigint
                    ) as n_current
                from (
                    select
                        counted.*,
                        missing_policy <> 'drop' or coalesce(bin_kind, '') <> 'missing'
                            as is_compared
                    from {{ relation }} as counted
                ) as marked
            ) as totals
        ) as raised
    ) as smoothed
{% endmacro %}
