{#
    Counts the rows of `rows` per key, segment, monitored column and bin, one small aggregate a column:
    key, segment_position, segment_value, slot, bin_index, n, and for numeric columns
    n_finite, n_clamped, sum_z, sum_z2, x_min, x_max over the finite values.

    key: the column that groups rows (a window or a reference)
    keyed_references: a relation of (key, reference_key); the reference decides the bins
#}
{% macro count_bins(rows, key, keyed_references) %}
    {%- set n_segments = mlmon.slot_counts()['segment'] -%}
    {%- set text = dbt.type_string() -%}
    {%- set double = mlmon.type_double() -%}
    {%- set branches = [] -%}
    {%- set edges = mlmon.edges_by_slot() -%}
    {%- for number in range(1, [n_segments, 1] | max + 1) -%}
        {%- set segment = 'segment_' ~ number if n_segments else none -%}
        {%- for slot, n_edges in edges.items() -%}
            {%- do branches.append(mlmon.count_numeric_bins(
                rows, key, keyed_references, slot, n_edges, segment, number
            )) -%}
        {%- endfor -%}
        {%- for slot in mlmon.monitored_slots('categorical') -%}
            {%- do branches.append(mlmon.count_category_bins(
                rows, key, keyed_references, slot, segment, number
            )) -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- if branches -%}
        {{- return(branches | join("\n\n    union all\n")) -}}
    {%- endif -%}
    {{- return(
        "select " ~ key ~ ", 1 as segment_position, cast(null as " ~ text ~ ") as segment_value,"
        ~ " cast(null as " ~ text ~ ") as slot, cast(0 as bigint) as bin_index,"
        ~ " cast(0 as bigint) as n, cast(0 as bigint) as n_finite, cast(0 as bigint) as n_clamped,"
        ~ " cast(0 as " ~ double ~ ") as sum_z, cast(0 as " ~ double ~ ") as sum_z2,"
        ~ " cast(0 as " ~ double ~ ") as x_min, cast(0 as " ~ double ~ ") as x_max"
        ~ " from " ~ keyed_references ~ " where false"
    ) -}}
{% endmacro %}

{% macro count_numeric_bins(
    rows, key, keyed_references, slot, n_edges, segment, segment_position
) %}
    {%- set text = dbt.type_string() %}
    select
        {{ key }},
        {{ segment_position }} as segment_position,
        {{ "segment_value" if segment else "cast(null as " ~ text ~ ") as segment_value" }},
        cast('{{ slot }}' as {{ text }}) as slot,
        cast(bin_index as bigint) as bin_index,
        cast(count(*) as bigint) as n,
        cast(count(finite_x) as bigint) as n_finite,
        cast(count(finite_x) - count(z) as bigint) as n_clamped,
        sum(z) as sum_z,
        sum(z * z) as sum_z2,
        min(finite_x) as x_min,
        max(finite_x) as x_max
    from (
        select
            {{ key }},
            {{ "segment_value," if segment }}
            bin_index,
            finite_x,
            {{ mlmon.standardise('finite_x', 'center', 'scale') }} as z
        from (
            select
                logged.{{ key }},
                {{ "logged." ~ segment ~ " as segment_value," if segment }}
                case when logged.{{ slot }} - logged.{{ slot }} = 0 then logged.{{ slot }} end
                    as finite_x,
                case
                    when logged.{{ slot }} is null
                        then edges.n_edges + 1 + edges.n_below
                    else {{ mlmon.bin_tree('logged.' ~ slot, 'edges', n_edges) }}
                end as bin_index,
                edges.center,
                edges.scale
            from {{ rows }} as logged
            inner join (
                select
                    keyed.{{ key }},
                    coalesce(max(stored.n_edges), 0) as n_edges,
                    coalesce(max(case when stored.has_below then 1 else 0 end), 0) as n_below,
                    coalesce(max(case when stored.is_discrete then 1 else 0 end), 0) = 1
                        as is_discrete,
                    coalesce(max(stored.center), 0) as center,
                    coalesce(max(stored.scale), 1) as scale
                    {%- for number in range(1, n_edges + 1) %},
                    max(case when stored.edge_index = {{ number }} then stored.edge end)
                        as e_{{ number }}
                    {%- endfor %}
                from {{ keyed_references }} as keyed
                left join {{ ref('mlmon', 'int_mlmon__bin_edges') }} as stored
                    on
                        keyed.reference_key = stored.reference_key
                        and stored.slot = '{{ slot }}'
                group by keyed.{{ key }}
            ) as edges
                on logged.{{ key }} = edges.{{ key }}
        ) as binned
    ) as standardised
    group by {{ key }}, {{ "segment_value, " if segment }}bin_index
{% endmacro %}

{# Categories are counted first and looked up after: far fewer rows to compare. #}
{% macro count_category_bins(rows, key, keyed_references, slot, segment, segment_position) %}
    select
        counted.{{ key }},
        {{ segment_position }} as segment_position,
        counted.segment_value,
        cast('{{ slot }}' as {{ dbt.type_string() }}) as slot,
        cast(
            case
                when counted.category is null then coalesce(totals.n_own_bins, 0) + 2
                when known.category is null then coalesce(totals.n_own_bins, 0) + 1
                when known.has_own_bin then known.category_rank
                else totals.n_own_bins
            end as bigint
        ) as bin_index,
        cast(sum(counted.n) as bigint) as n,
        cast(0 as bigint) as n_finite,
        cast(0 as bigint) as n_clamped,
        cast(null as {{ mlmon.type_double() }}) as sum_z,
        cast(null as {{ mlmon.type_double() }}) as sum_z2,
        cast(null as {{ mlmon.type_double() }}) as x_min,
        cast(null as {{ mlmon.type_double() }}) as x_max
    from (
        select
            logged.{{ key }},
            {{ "logged." ~ segment if segment else "cast(null as " ~ dbt.type_string() ~ ")" }}
                as segment_value,
            logged.{{ slot }} as category,
            count(*) as n
        from {{ rows }} as logged
        group by 1, 2, 3
    ) as counted
    inner join {{ keyed_references }} as keyed
        on counted.{{ key }} = keyed.{{ key }}
    left join {{ ref('mlmon', 'int_mlmon__reference_categories') }} as known
        on
            keyed.reference_key = known.reference_key
            and known.slot = '{{ slot }}'
            and counted.category = known.category
    left join (
        select
            reference_key,
            sum(case when has_own_bin then 1 else 0 end) as n_own_bins
        from {{ ref('mlmon', 'int_mlmon__reference_categories') }}
        where slot = '{{ slot }}'
        group by reference_key
    ) as totals
        on keyed.reference_key = totals.reference_key
    group by 1, 3, 5
{% endmacro %}
