-- One row per reference, numeric column and bin.
{{ config(materialized='view') }}

with

edges as (
    select * from {{ ref('int_mlmon__bin_edges') }}
),

specs as (
    select * from edges
    where edge_index = 0
),

-- Interval number t holds the values above edge t and up to edge t + 1.
intervals as (
    select
        reference_key,
        column_name,
        bin_spec_id,
        policy,
        n_edges,
        has_below,
        is_discrete,
        edge_index,
        edge as lower_edge,
        lead(edge) over (partition by reference_key, column_name order by edge_index)
            as upper_edge
    from edges
),

numeric_bins as (
    select
        reference_key,
        column_name,
        bin_spec_id,
        edge_index as bin_index,
        case when has_below and edge_index = 0 then 'below' else 'interval' end as bin_kind,
        lower_edge as bin_lower,
        upper_edge as bin_upper
    from intervals
    where not is_discrete and (edge_index = 0 or not has_below)

    union all

    select
        reference_key,
        column_name,
        bin_spec_id,
        edge_index + 1 as bin_index,
        'interval' as bin_kind,
        lower_edge as bin_lower,
        upper_edge as bin_upper
    from intervals
    where not is_discrete and has_below and edge_index > 0

    union all

    select
        reference_key,
        column_name,
        bin_spec_id,
        1 as bin_index,
        'value' as bin_kind,
        edge as bin_lower,
        edge as bin_upper
    from edges
    where not is_discrete and has_below and edge_index = 1

    union all

    select
        reference_key,
        column_name,
        bin_spec_id,
        edge_index - 1 as bin_index,
        'value' as bin_kind,
        edge as bin_lower,
        edge as bin_upper
    from edges
    where is_discrete and edge_index > 0

    union all

    select
        reference_key,
        column_name,
        bin_spec_id,
        n_edges as bin_index,
        'unseen' as bin_kind,
        cast(null as {{ mlmon.type_double() }}) as bin_lower,
        cast(null as {{ mlmon.type_double() }}) as bin_upper
    from specs
    where is_discrete

    union all

    select
        reference_key,
        column_name,
        bin_spec_id,
        n_edges + 1 + case when has_below then 1 else 0 end as bin_index,
        'missing' as bin_kind,
        cast(null as {{ mlmon.type_double() }}) as bin_lower,
        cast(null as {{ mlmon.type_double() }}) as bin_upper
    from specs
)

select * from numeric_bins
