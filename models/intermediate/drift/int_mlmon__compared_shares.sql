-- One row per stale window end, span, segment, column and bin that is filled on either side: counts
-- and shares of the span and of its reference under the column's policies. All drift statistics of
-- bins are computed from it. Segments are compared with the same segment of the reference, at the
-- verdict span. Where the column has `missing: drop`, the bin of missing values takes no part
-- (is_compared false).
with

stale as (
    select spans.*
    from {{ ref('int_mlmon__spans') }} as spans
    inner join {{ ref('int_mlmon__stale_ends') }} as stale
        on
            stale.facts = 'drift'
            and spans.window_key = stale.window_key
),

first_windows as (
    select
        monitor,
        min(least(first_index, coalesce(compared_first_index, first_index))) as first_index
    from stale
    group by monitor
),

bin_counts as (
    select
        counts.window_key,
        counts.monitor,
        counts.model_version,
        counts.window_index,
        counts.segment_name,
        counts.segment_value,
        counts.column_name,
        counts.bin_index,
        sum(counts.n) as n
    from {{ ref('int_mlmon__column_counts') }} as counts
    inner join first_windows
        on
            counts.monitor = first_windows.monitor
            and counts.window_index >= first_windows.first_index
    group by
        counts.window_key, counts.monitor, counts.model_version, counts.window_index,
        counts.segment_name, counts.segment_value, counts.column_name, counts.bin_index
),

current_counts as (
    select
        stale.window_key,
        stale.span_windows,
        bin_counts.segment_name,
        bin_counts.segment_value,
        bin_counts.column_name,
        bin_counts.bin_index,
        sum(bin_counts.n) as n
    from stale
    inner join bin_counts
        on
            stale.monitor = bin_counts.monitor
            and stale.model_version = bin_counts.model_version
            and bin_counts.window_index between stale.first_index and stale.window_index
    where bin_counts.segment_name = 'all' or stale.is_verdict
    group by
        stale.window_key, stale.span_windows, bin_counts.segment_name,
        bin_counts.segment_value, bin_counts.column_name, bin_counts.bin_index
),

-- What is compared with the reference: the whole monitor, and every segment with rows in the span.
compared as (
    select
        stale.window_key,
        stale.span_windows,
        stale.monitor,
        stale.reference_key,
        stale.compared_with,
        cast('all' as {{ dbt.type_string() }}) as segment_name,
        cast('all' as {{ dbt.type_string() }}) as segment_value
    from stale

    union all

    select distinct
        stale.window_key,
        stale.span_windows,
        stale.monitor,
        stale.reference_key,
        stale.compared_with,
        current_counts.segment_name,
        current_counts.segment_value
    from stale
    inner join current_counts
        on
            stale.window_key = current_counts.window_key
            and stale.span_windows = current_counts.span_windows
    where current_counts.segment_name <> 'all'
),

reference_bins as (
    select
        reference_windows.reference_key,
        bin_counts.segment_name,
        bin_counts.segment_value,
        bin_counts.column_name,
        bin_counts.bin_index,
        sum(bin_counts.n) as n
    from {{ ref('int_mlmon__reference_windows') }} as reference_windows
    inner join {{ ref('int_mlmon__column_counts') }} as bin_counts
        on
            reference_windows.window_key = bin_counts.window_key
            and reference_windows.reference_key = bin_counts.reference_key
    where
        reference_windows.reference_key in (
            select reference_key from stale
            where compared_with = 'reference'
        )
    group by
        reference_windows.reference_key, bin_counts.segment_name, bin_counts.segment_value,
        bin_counts.column_name, bin_counts.bin_index
),

fixed_reference_counts as (
    select
        compared.window_key,
        compared.span_windows,
        compared.segment_name,
        compared.segment_value,
        reference_bins.column_name,
        reference_bins.bin_index,
        reference_bins.n
    from compared
    inner join reference_bins
        on
            compared.reference_key = reference_bins.reference_key
            and compared.segment_name = reference_bins.segment_name
            and compared.segment_value = reference_bins.segment_value
    where compared.compared_with = 'reference'
),

-- The windows that a moving reference is made of, one by one: equal keys join faster than ranges.
compared_windows as (
    select
        stale.window_key,
        stale.span_windows,
        windows.window_key as compared_window_key
    from stale
    inner join {{ ref('int_mlmon__version_windows') }} as windows
        on
            stale.monitor = windows.monitor
            and stale.compared_version = windows.model_version
            and windows.window_index
            between stale.compared_first_index and stale.compared_last_index
),

moving_reference_counts as (
    select
        compared.window_key,
        compared.span_windows,
        compared.segment_name,
        compared.segment_value,
        bin_counts.column_name,
        bin_counts.bin_index,
        sum(bin_counts.n) as n
    from compared_windows
    inner join bin_counts
        on compared_windows.compared_window_key = bin_counts.window_key
    inner join compared
        on
            compared_windows.window_key = compared.window_key
            and compared_windows.span_windows = compared.span_windows
            and bin_counts.segment_name = compared.segment_name
            and bin_counts.segment_value = compared.segment_value
    group by
        compared.window_key, compared.span_windows, compared.segment_name,
        compared.segment_value, bin_counts.column_name, bin_counts.bin_index
),

reference_counts as (
    select * from fixed_reference_counts
    union all
    select * from moving_reference_counts
),

both_sides as (
    select
        window_key,
        span_windows,
        segment_name,
        segment_value,
        column_name,
        bin_index,
        n as reference_count,
        0 as current_count
    from reference_counts

    union all

    select
        window_key,
        span_windows,
        segment_name,
        segment_value,
        column_name,
        bin_index,
        0 as reference_count,
        n as current_count
    from current_counts
),

counted as (
    select
        window_key,
        span_windows,
        segment_name,
        segment_value,
        column_name,
        bin_index,
        cast(sum(reference_count) as bigint) as reference_count,
        cast(sum(current_count) as bigint) as current_count
    from both_sides
    group by window_key, span_windows, segment_name, segment_value, column_name, bin_index
),

described as (
    select
        counted.window_key,
        counted.span_windows,
        counted.segment_name,
        counted.segment_value,
        counted.column_name,
        counted.bin_index,
        bins.bin_spec_id,
        bins.bin_kind,
        bins.bin_label,
        bins.bin_lower,
        bins.bin_upper,
        columns.smoothing,
        columns.missing_policy,
        counted.reference_count,
        counted.current_count
    from counted
    inner join stale
        on
            counted.window_key = stale.window_key
            and counted.span_windows = stale.span_windows
    inner join {{ ref('int_mlmon__column_settings') }} as columns
        on
            stale.monitor = columns.monitor
            and counted.column_name = columns.column_name
    left join {{ ref('int_mlmon__bins') }} as bins
        on
            stale.reference_key = bins.reference_key
            and counted.column_name = bins.column_name
            and counted.bin_index = bins.bin_index
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
