{# Per group of `keys` in `relation`: how many values x has, their median, and the median of their distances from it. #}
{% macro median_deviations(relation, keys, x) %}
    select
        {{ keys | join(", ") }},
        count(*) as n_values,
        max(median_value) as median_value,
        percentile_cont(0.5) within group (order by abs({{ x }} - median_value)) as median_deviation
    from (
        select
            observed.*,
            medians.median_value
        from {{ relation }} as observed
        inner join (
            select
                {{ keys | join(", ") }},
                percentile_cont(0.5) within group (order by {{ x }}) as median_value
            from {{ relation }}
            group by {{ keys | join(", ") }}
        ) as medians
            on
                {%- for key in keys %}
                {{ "and " if not loop.first }}observed.{{ key }} = medians.{{ key }}
                {%- endfor %}
    ) as distances
    group by {{ keys | join(", ") }}
{% endmacro %}

{#
    What one unit of distance from usual is, in square roots of requests: what the peers differ by, at least a tenth of
    the number itself, and at least the chance of counting, which is one half whatever the number.
#}
{% macro volume_spread(deviations) %}
    {{- return(
        "greatest(1.4826 * " ~ deviations ~ ".median_deviation, 0.05 * " ~ deviations
        ~ ".median_value, 0.5)"
    ) -}}
{% endmacro %}
