-- One row per monitor, version, closed base window and monitored column: the rows that the column checks judge, and
-- the shares that the reference has of the same.
{%- set counts = ['n_missing', 'n_infinite'] + mlmon.odd_counts() %}

with

spans as (
    select * from {{ ref('int_mlmon__spans') }}
    where span_windows = 1
),

columns as (
    select * from {{ ref('int_mlmon__column_settings') }}
),

bin_kinds as (
    select
        reference_key,
        column_name,
        bin_index,
        bin_kind
    from {{ ref('int_mlmon__bins') }}
    where bin_kind in ('missing', 'unseen')
),

-- An infinite value is neither finite nor missing.
current_counts as (
    select
        counts.window_key,
        counts.column_name,
        sum(counts.n) as n_rows,
        sum(counts.n_missing) as n_missing,
        sum(
            case
                when counts.column_kind = 'numeric'
                    then counts.n - counts.n_missing - counts.n_finite
            end
        ) as n_infinite,
        sum(case when bin_kinds.bin_kind = 'unseen' then counts.n else 0 end) as n_unseen
        {%- for count in mlmon.odd_counts() %},
        sum(counts.{{ count }}) as {{ count }}
        {%- endfor %}
    from {{ ref('int_mlmon__bin_counts') }} as counts
    left join bin_kinds
        on
            counts.reference_key = bin_kinds.reference_key
            and counts.column_name = bin_kinds.column_name
            and counts.bin_index = bin_kinds.bin_index
    where counts.segment_name = 'all'
    group by counts.window_key, counts.column_name
),

fences as (
    select
        reference_key,
        column_name,
        inner_low,
        inner_high,
        outer_low,
        outer_high
    from {{ ref('int_mlmon__bin_edges') }}
    where edge_index = 0
),

lookalikes as (
    select
        window_key,
        column_name,
        max(n_in_all) as n_lookalikes
    from {{ ref('int_mlmon__odd_values') }}
    where check_name = 'lookalike_category'
    group by window_key, column_name
)

select
    spans.monitor_key,
    spans.monitor,
    spans.model_version,
    spans.window_index,
    spans.window_start,
    spans.window_end,
    spans.window_date,
    columns.column_key,
    columns.column_name,
    columns.column_role,
    columns.column_kind,
    columns.declared_min,
    columns.declared_max,
    fences.inner_low,
    fences.inner_high,
    fences.outer_low,
    fences.outer_high,
    columns.is_required,
    current_counts.n_rows,
    current_counts.n_unseen,
    coalesce(lookalikes.n_lookalikes, 0) as n_lookalikes,
    reference_shares.n_reference
    {%- for count in counts %},
    current_counts.{{ count }},
    reference_shares.reference_{{ count[2:] }}_share,
    reference_shares.reference_{{ count[2:] }}_high
    {%- endfor %}
from spans
inner join current_counts
    on spans.window_key = current_counts.window_key
inner join columns
    on
        spans.monitor = columns.monitor
        and current_counts.column_name = columns.column_name
left join {{ ref('int_mlmon__reference_odd_shares') }} as reference_shares
    on
        spans.reference_key = reference_shares.reference_key
        and columns.column_name = reference_shares.column_name
left join fences
    on
        spans.reference_key = fences.reference_key
        and columns.column_name = fences.column_name
left join lookalikes
    on
        spans.window_key = lookalikes.window_key
        and columns.column_name = lookalikes.column_name
