-- One row per reference, categorical column and bin: its frequent categories, the rest, the unseen, the missing.
{{ config(materialized='view') }}

with

columns as (
    select
        reference_facts.reference_key,
        reference_facts.reference_hash,
        columns.*
    from {{ ref('int_mlmon__column_settings') }} as columns
    inner join {{ ref('int_mlmon__references') }} as reference_facts
        on columns.monitor = reference_facts.monitor
),

categories as (
    select * from {{ ref('int_mlmon__reference_categories') }}
),

category_columns as (
    select
        reference_key,
        column_name,
        md5(
            monitor || '|' || column_name || '|' || bin_policy
            || '|' || cast(n_bins_asked as {{ dbt.type_string() }})
            || '|' || reference_hash
        ) as bin_spec_id
    from columns
    where column_kind = 'categorical'
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
)

select * from category_bins
