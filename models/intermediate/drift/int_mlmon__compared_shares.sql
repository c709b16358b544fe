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
        comparison.reference_count,
        comparison.current_count,
        columns.missing_policy <> 'drop'
        or coalesce(bins.bin_kind, '') <> 'missing' as is_compared
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

totals as (
    select
        described.*,
        sum(case when is_compared then reference_count else 0 end) over (
            partition by window_key, span_windows, segment_name, segment_value, column_name
        ) as n_reference,
        sum(case when is_compared then current_count else 0 end) over (
            partition by window_key, span_windows, segment_name, segment_value, column_name
        ) as n_current
    from described
),

smoothed as (
    select
        totals.*,
        case
            when is_compared
                then {{ mlmon.smoothed_share('reference_count', 'n_reference', 'smoothing') }}
        end as raw_p,
        case
            when is_compared
                then {{ mlmon.smoothed_share('current_count', 'n_current', 'smoothing') }}
        end as raw_q
    from totals
),

normalised as (
    select
        smoothed.*,
        raw_p / nullif(sum(raw_p) over (
            partition by window_key, span_windows, segment_name, segment_value, column_name
        ), 0) as smoothed_p,
        raw_q / nullif(sum(raw_q) over (
            partition by window_key, span_windows, segment_name, segment_value, column_name
        ), 0) as smoothed_q
    from smoothed
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
    cast(n_reference as bigint) as n_reference,
    cast(n_current as bigint) as n_current,
    case
        when is_compared
            then cast(reference_count as {{ mlmon.type_double() }}) / nullif(n_reference, 0)
    end as p,
    case
        when is_compared
            then cast(current_count as {{ mlmon.type_double() }}) / nullif(n_current, 0)
    end as q,
    case
        when n_reference > 0 and n_current > 0 and smoothed_p > 0 and smoothed_q > 0
            then (smoothed_q - smoothed_p) * ln(smoothed_q / smoothed_p)
    end as psi_contribution
from normalised
