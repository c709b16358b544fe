-- One row per monitor, version, closed window end, span, column and bin: the current count and the
-- reference's. It has spans 1, the default and the verdict's, of the whole monitor; bins empty on
-- both sides are absent.
{{ config(
    materialized='incremental',
    incremental_strategy='mlmon_windows',
    unique_key='window_key',
    on_schema_change='append_new_columns',
    meta={'stale': 'drift'},
    post_hook="{{ mlmon.record_windows('drift') }}",
) }}

with

spans as (
    select spans.*
    from {{ ref('int_mlmon__spans') }} as spans
    inner join {{ ref('int_mlmon__stale_ends') }} as stale
        on
            stale.facts = 'drift'
            and spans.window_key = stale.window_key
    where spans.span_windows = 1 or spans.is_default_span or spans.is_verdict
),

shares as (
    {{ mlmon.compared_shares('spans', of_whole=true) }}
),

columns as (
    select * from {{ ref('int_mlmon__column_settings') }}
)

select
    spans.window_key,
    {{ mlmon.window_columns('spans') }},
    shares.segment_name,
    shares.segment_value,
    columns.column_key,
    columns.column_name,
    columns.column_role,
    columns.column_kind,
    coalesce(shares.bin_spec_id, 'none') as bin_spec_id,
    cast(shares.bin_index as integer) as bin_index,
    coalesce(shares.bin_kind, 'unbinned') as bin_kind,
    {{ mlmon.bin_text('shares') }} as bin_label,
    {{ mlmon.finite_or_null('shares.bin_lower') }} as bin_lower,
    {{ mlmon.finite_or_null('shares.bin_upper') }} as bin_upper,
    shares.reference_count,
    shares.current_count,
    shares.p as reference_share,
    shares.q as current_share,
    shares.psi_contribution,
    spans.reference_hash
from shares
inner join spans
    on
        shares.window_key = spans.window_key
        and shares.span_windows = spans.span_windows
inner join columns
    on
        spans.monitor = columns.monitor
        and shares.column_name = columns.column_name
where shares.reference_count + shares.current_count > 0
