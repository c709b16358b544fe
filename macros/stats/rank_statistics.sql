{#
    The Kolmogorov-Smirnov statistic and the first Wasserstein distance of two sides, and what each may be off by, from
    counts of cells (docs/numbers.md, "Ranks"). F and G are the reference's and the span's distribution functions,
    known exactly where cells end. One row per end_number and column_number, of columns with a row on both sides.

    sides: a relation of end_number, column_number, is_reference, cell, n, n_finite, n_clamped, sum_z, sum_z2, x_min
    and x_max
    columns: a relation of column_number, center, scale and is_transported
#}
{% macro rank_statistics(sides, columns) %}
    {%- set keys = ['end_number', 'column_number'] | join(', ') %}
    {%- set double = mlmon.type_double() %}
    {%- set sums = mlmon.cell_sums() %}

    with

    both_sides as (
        select
            {{ keys }},
            cell
            {%- for side in ['reference', 'current'] %},
            {%- set condition = ('not ' if side == 'current') ~ 'is_reference' %}
            {%- for name in sums %}
            coalesce(sum(case when {{ condition }} then {{ name }} end), 0) as {{ name }}_{{ side }},
            {%- endfor %}
            min(case when {{ condition }} then x_min end) as {{ side }}_min,
            max(case when {{ condition }} then x_max end) as {{ side }}_max
            {%- endfor %}
        from {{ sides }}
        group by {{ keys }}, cell
    ),

    cumulated as (
        select
            both_sides.*
            {%- for side in ['reference', 'current'] %}
            {%- for counted in ['n_', 'n_finite_'] %},
            sum({{ counted }}{{ side }}) over (partition by {{ keys }} order by cell)
                as {{ counted }}{{ side }}_through,
            sum({{ counted }}{{ side }}) over (partition by {{ keys }}) as {{ counted }}{{ side }}_total
            {%- endfor %}
            {%- endfor %}
        from both_sides
    ),

    -- The distribution functions before and after each cell, and the mean of each side's finite values.
    shares as (
        select
            cumulated.*
            {%- for side, function in {'reference': 'f', 'current': 'g'}.items() %},
            cast(n_{{ side }}_through - n_{{ side }} as {{ double }}) / n_{{ side }}_total
                as {{ function }}_before,
            cast(n_{{ side }}_through as {{ double }}) / n_{{ side }}_total as {{ function }}_after,
            cast(n_finite_{{ side }}_through - n_finite_{{ side }} as {{ double }})
            / nullif(n_finite_{{ side }}_total, 0) as finite_{{ function }}_before,
            cast(n_finite_{{ side }}_through as {{ double }})
            / nullif(n_finite_{{ side }}_total, 0) as finite_{{ function }}_after,
            {{ mlmon.without_underflow('sum_z_' ~ side) }} / nullif(n_finite_{{ side }}, 0)
                as {{ side }}_mean
            {%- endfor %}
        from cumulated
        where n_reference_total > 0 and n_current_total > 0
    ),

    -- Inside a cell the distance can be larger than at its ends. It is f_after - g_before where all of
    -- the reference's values come first, and g_after - f_before where they come last. Where the two
    -- sides overlap neither is certain, but nothing is larger.
    distances as (
        select
            {{ keys }},
            max(greatest(
                abs(f_after - g_after),
                case when reference_max < current_min then f_after - g_before else 0 end,
                case when current_max < reference_min then g_after - f_before else 0 end
            )) as ks,
            max(greatest(
                abs(f_after - g_after),
                case
                    when n_reference = 0 or n_current = 0 then 0
                    when reference_min = current_max and reference_max = current_min then 0
                    else greatest(
                        case when current_max < reference_min then 0 else f_after - g_before end,
                        case when reference_max < current_min then 0 else g_after - f_before end
                    )
                end
            )) as largest_ks,
            max(n_reference_total) as n_reference,
            max(n_current_total) as n_current
        from shares
        group by {{ keys }}
    ),

    -- The finite values of a cell and side lie at their mean. Their average distance from it (spread) is
    -- at most their standard deviation, and none where they are all the same.
    atoms as (
        {%- for side in ['reference', 'current'] %}
        {%- if not loop.first %}

        union all
        {%- endif %}

        select
            {{ mlmon.qualified('shares', ['end_number', 'column_number', 'cell']) }},
            columns.scale,
            {{ 'shares.n_finite_reference' if side == 'reference' else '0' }} as n_reference,
            {{ 'shares.n_finite_current' if side == 'current' else '0' }} as n_current,
            shares.n_finite_reference_total as reference_total,
            shares.n_finite_current_total as current_total,
            case
                when
                    shares.{{ side }}_min = shares.{{ side }}_max
                    and shares.n_{{ side }} = shares.n_finite_{{ side }}
                    then {{ mlmon.standardise(
                        'shares.' ~ side ~ '_min', 'columns.center', 'columns.scale'
                    ) }}
                else shares.{{ side }}_mean
            end as z,
            case
                when shares.{{ side }}_min = shares.{{ side }}_max then 0
                else sqrt(greatest(
                    shares.sum_z2_{{ side }} / shares.n_finite_{{ side }} * (1 + 1e-12)
                    - shares.{{ side }}_mean * shares.{{ side }}_mean,
                    0
                ))
            end as spread,
            -- Whether F - G may change its sign inside the cell.
            shares.finite_f_after > shares.finite_g_before
            and shares.finite_g_after > shares.finite_f_before as is_crossed
        from shares
        inner join {{ columns }} as columns
            on shares.column_number = columns.column_number
        where
            columns.is_transported
            and shares.n_finite_{{ side }} > 0
            and shares.n_finite_reference_total > 0
            and shares.n_finite_current_total > 0
        {%- endfor %}
    ),

    moved as (
        select
            atoms.*,
            cast(sum(n_reference) over in_order as {{ double }}) / reference_total as f,
            cast(sum(n_current) over in_order as {{ double }}) / current_total as g,
            lead(z) over (partition by {{ keys }} order by cell, z, n_reference) - z as step,
            cast(n_reference as {{ double }}) / reference_total
            + cast(n_current as {{ double }}) / current_total as share
        from atoms
        window in_order as (
            partition by {{ keys }} order by cell, z, n_reference
            rows between unbounded preceding and current row
        )
    ),

    -- In units of the column's scale.
    transport as (
        select
            {{ keys }},
            max(scale) as scale,
            sum(case when step > 0 then abs(f - g) * step else 0 end) as distance,
            sum(case when is_crossed then share * spread else 0 end) as error
        from moved
        group by {{ keys }}
    ),

    -- The reference's standard deviation, in the same unit.
    deviations as (
        select
            {{ keys }},
            case
                when min(reference_min) < max(reference_max)
                    then sqrt(greatest(
                        sum(sum_z2_reference) / sum(n_finite_reference) - power({{
                            mlmon.without_underflow('sum(sum_z_reference)')
                        }} / sum(n_finite_reference), 2),
                        0
                    ))
            end as deviation,
            sum(n_clamped_reference + n_clamped_current) as n_clamped
        from both_sides
        group by {{ keys }}
        having sum(n_finite_reference) > 0
    )

    select
        distances.end_number,
        distances.column_number,
        {{ mlmon.qualified('distances', ['n_reference', 'n_current', 'ks']) }},
        distances.largest_ks - distances.ks as ks_error
        {%- for name, value in {
            'wasserstein': 'transport.distance', 'wasserstein_error': 'transport.error',
        }.items() %},
        case
            when deviations.n_clamped = 0 and transport.scale < 8e307 / greatest({{ value }}, 1)
                then {{ value }} * transport.scale
        end as {{ name }},
        case
            when deviations.n_clamped = 0 and deviations.deviation > 1e-150
                then {{ value }} / deviations.deviation
        end as {{ name | replace('wasserstein', 'wasserstein_normed') }}
        {%- endfor %}
    from distances
    left join transport
        on
            distances.end_number = transport.end_number
            and distances.column_number = transport.column_number
    left join deviations
        on
            distances.end_number = deviations.end_number
            and distances.column_number = deviations.column_number
{% endmacro %}

{# What is added up of the values of a cell. #}
{% macro cell_sums() %}
    {{- return(['n', 'n_finite', 'n_clamped', 'sum_z', 'sum_z2']) -}}
{% endmacro %}
