-- One row per monitor, version, closed base window and monitored column: the rows that the column checks judge, and
-- the shares that the reference has of the same.
{%- set counts = mlmon.checked_counts() %}

with

spans as (
    select * from {{ ref('int_mlmon__spans') }}
    where span_windows = 1
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
    {{ mlmon.column_key('spans.monitor', 'counted.column_role', 'counted.column_name') }}
        as column_key,
    counted.column_name,
    counted.column_role,
    counted.column_kind,
    counted.declared_min,
    counted.declared_max,
    fences.inner_low,
    fences.inner_high,
    fences.outer_low,
    fences.outer_high,
    counted.is_required,
    counted.n_rows,
    counted.n_unseen,
    coalesce(lookalikes.n_lookalikes, 0) as n_lookalikes,
    reference_shares.n_reference
    {%- for count in counts %},
    counted.{{ count }},
    reference_shares.reference_{{ count[2:] }}_share,
    reference_shares.reference_{{ count[2:] }}_high
    {%- endfor %}
from spans
inner join {{ ref('int_mlmon__value_counts') }} as counted
    on spans.window_key = counted.window_key
left join {{ ref('int_mlmon__reference_odd_shares') }} as reference_shares
    on
        spans.reference_key = reference_shares.reference_key
        and counted.column_name = reference_shares.column_name
left join fences
    on
        spans.reference_key = fences.reference_key
        and counted.column_name = fences.column_name
left join lookalikes
    on
        spans.window_key = lookalikes.window_key
        and counted.column_name = lookalikes.column_name
