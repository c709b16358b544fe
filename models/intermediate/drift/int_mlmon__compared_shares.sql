-- One row per touched window end, span, segment, column and bin: counts and shares on both sides under the
-- column's policies. With missing: drop the missing bin is left out of what is compared (is_compared false).
with

comparison as (
    select
        comparison.*,
        spans.monitor,
        spans.reference_key
    from {{ ref('int_mlmon__bin_comparison') }} as comparison
    inner join {{ ref('int_mlmon__spans') }} as spans
        on
            comparison.window_key = spans.window_key
            and comparison.span_windows = spans.span_windows
),

columns as (
    select * from {{ ref('int_mlmon__column_settings') }}
),

bins as (
    select * from {{ ref('int_mlmon__bins') }}
),

described as (
    select
        comparison.window_key,
        comparison.span_windows,
        comparison.segment_name,
        comparison.segment_value,
        comparison.column_name,
        comparison.bin_index,
        bins.bin_spec_id,
        bins.bin_kind,
        bins.bin_label,
        bins.bin_lower,
        bins.bin_upper,
        columns.smoothing,
        columns.missing_policy,
        comparison.reference_count,
        comparison.current_count
    from comparison
    inner join columns
        on
            comparison.monitor = columns.monitor
            and comparison.column_name = columns.column_name
    left join bins
        on
            comparison.reference_key = bins.reference_key
            and comparison.column_name = bins.column_name
            and comparison.bin_index = bins.bin_index
),

shares as (
    {{ mlmon.compare_shares('described', mlmon.comparison_keys()) }}
)

select
    window_key,
    span_windows,
    segment_name,
    segment_value,
    column_name,
    bin_index,
    bin_spec_id,
    bin_kind,
    bin_label,
    bin_lower,
    bin_upper,
    smoothing,
    is_compared,
    reference_count,
    current_count,
    n_reference,
    n_current,
    p,
    q,
    psi_contribution
from shares
