-- One row per reference, categorical column and category in it, ranked: the most frequent first,
-- equal counts by the text itself. The first n_bins of them get a bin of their own, the others
-- share the bin `other`. A segment column without declared values has rows, too (is_segment): its
-- most frequent values, which are segments of their own. All others are counted as `__other__`.
{{ config(
    materialized='incremental',
    incremental_strategy='mlmon_windows',
    unique_key='reference_key',
    on_schema_change='append_new_columns',
    meta={'stale': 'references'},
    post_hook="{{ mlmon.record_windows('references') }}",
) }}
{%- set slots = mlmon.monitored_slots('categorical') | list %}
{%- for number in range(1, mlmon.slot_counts()['segment'] + 1) %}
    {%- do slots.append('segment_' ~ number) %}
{%- endfor %}

with

reference_rows as (
    {{ mlmon.stale_reference_rows(slots) }}
),

category_counts as (
    {%- for slot in slots %}
    {%- if not loop.first %}
    union all
    {%- endif %}
    select
        reference_key,
        cast('{{ slot }}' as {{ dbt.type_string() }}) as slot,
        {{ slot }} as category,
        count(*) as n
    from reference_rows
    where {{ slot }} is not null
    group by reference_key, {{ slot }}
    {%- else %}
    select
        reference_key,
        cast(null as {{ dbt.type_string() }}) as slot,
        cast(null as {{ dbt.type_string() }}) as category,
        0 as n
    from reference_rows
    where false
    {%- endfor %}
),

columns as (
    select
        monitor,
        column_name,
        slot,
        n_bins_asked,
        false as is_segment
    from {{ ref('int_mlmon__column_settings') }}

    union all

    select
        monitor,
        segment_name as column_name,
        slot,
        max_values as n_bins_asked,
        true as is_segment
    from ({{ mlmon.segment_settings() }}) as segments
    where not is_declared
),

ranked as (
    select
        category_counts.reference_key,
        columns.column_name,
        columns.slot,
        columns.n_bins_asked,
        columns.is_segment,
        category_counts.category,
        category_counts.n,
        row_number() over (
            partition by category_counts.reference_key, category_counts.slot
            order by
                category_counts.n desc,
                {{ mlmon.byte_order('category_counts.category') }}
        ) - 1 as category_rank
    from category_counts
    inner join {{ ref('int_mlmon__references') }} as reference_facts
        on category_counts.reference_key = reference_facts.reference_key
    inner join columns
        on
            reference_facts.monitor = columns.monitor
            and category_counts.slot = columns.slot
    where
        not columns.is_segment
        or category_counts.category not in ('all', '__missing__', '__other__')
)

select
    reference_key,
    column_name,
    slot,
    category,
    cast(n as bigint) as n,
    cast(category_rank as bigint) as category_rank,
    category_rank < n_bins_asked as has_own_bin,
    is_segment
from ranked
where not is_segment or category_rank < n_bins_asked
