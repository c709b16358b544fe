-- One row per reference, monitored column and bin: what every bin means. Counts hold only
-- bin_index; bounds and labels are looked up here.
-- Bins are (lower, upper]; NULL bounds are open. bin_kind: interval, below (strictly below upper),
-- value (exactly lower), category, other (reference categories without a bin of their own), unseen,
-- missing.
{{ config(access='public') }}

with

edges as (
    select * from {{ ref('int_mlmon__bin_edges') }}
    where slot <> 'label_value'
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
),

categories as (
    select * from {{ ref('int_mlmon__reference_categories') }}
    where not is_segment
),

category_columns as (
    select
        reference_facts.reference_key,
        columns.column_name,
        md5(
            columns.monitor || '|' || columns.column_name || '|' || columns.bin_policy
            || '|' || cast(columns.n_bins_asked as {{ dbt.type_string() }})
            || '|' || reference_facts.reference_hash
        ) as bin_spec_id
    from {{ ref('int_mlmon__column_settings') }} as columns
    inner join {{ ref('int_mlmon__references') }} as reference_facts
        on columns.monitor = reference_facts.monitor
    where columns.column_kind = 'categorical'
),

category_totals as (
    select
        reference_key,
        column_name,
        sum(case when has_own_bin then 1 else 0 end) as n_own_bins
    from categories
    group by reference_key, column_name
),

category_bins as (
    select
        category_columns.reference_key,
        category_columns.column_name,
        category_columns.bin_spec_id,
        categories.category_rank as bin_index,
        'category' as bin_kind,
        categories.category as bin_label
    from category_columns
    inner join categories
        on
            category_columns.reference_key = categories.reference_key
            and category_columns.column_name = categories.column_name
    where categories.has_own_bin

    union all

    select
        category_columns.reference_key,
        category_columns.column_name,
        category_columns.bin_spec_id,
        coalesce(category_totals.n_own_bins, 0) + special.i as bin_index,
        case special.i when 0 then 'other' when 1 then 'unseen' else 'missing' end as bin_kind,
        case special.i
            when 0 then '__other__'
            when 1 then '__unseen__'
            else '__missing__'
        end as bin_label
    from category_columns
    left join category_totals
        on
            category_columns.reference_key = category_totals.reference_key
            and category_columns.column_name = category_totals.column_name
    cross join ({{ mlmon.integers(2) }}) as special
),

bins as (
    select
        reference_key,
        column_name,
        bin_spec_id,
        cast(bin_index as bigint) as bin_index,
        bin_kind,
        case
            when bin_kind in ('unseen', 'missing') then '__' || bin_kind || '__'
        end as bin_label,
        bin_lower,
        bin_upper
    from numeric_bins

    union all

    select
        reference_key,
        column_name,
        bin_spec_id,
        cast(bin_index as bigint) as bin_index,
        bin_kind,
        bin_label,
        cast(null as {{ mlmon.type_double() }}) as bin_lower,
        cast(null as {{ mlmon.type_double() }}) as bin_upper
    from category_bins
)

select * from bins
