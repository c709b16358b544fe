-- One row per monitor, version, closed window end, span and label bin that is filled on either side: how many labels
-- the reference and the span have in it, and their shares. Labels of other bins than the reference's do not count.
with

spans as (
    select
        spans.window_key,
        spans.span_windows,
        spans.monitor,
        spans.model_version,
        spans.first_index,
        spans.window_index,
        spans.reference_key,
        readiness.smoothing,
        case
            when readiness.label_kind = 'categorical' then 'class'
            else edges.bin_spec_id
        end as label_spec_id
    from {{ ref('int_mlmon__spans') }} as spans
    inner join {{ ref('int_mlmon__label_readiness') }} as readiness
        on
            spans.window_key = readiness.window_key
            and spans.span_windows = readiness.span_windows
    left join {{ ref('int_mlmon__label_slot_edges') }} as edges
        on spans.reference_key = edges.reference_key
),

counts as (
    select * from {{ ref('int_mlmon__label_counts') }}
),

mature_references as (
    select * from {{ ref('int_mlmon__mature_references') }}
),

reference_counts as (
    select
        reference_key,
        label_bin,
        n
    from {{ ref('int_mlmon__reference_label_bin_counts') }}
    where column_name = '__label__'

    union all

    select
        mature_references.reference_key,
        counts.label_bin,
        sum(counts.n) as n
    from mature_references
    inner join counts
        on
            mature_references.monitor = counts.monitor
            and mature_references.logged_version in ('all', counts.model_version)
            and counts.window_index
            between mature_references.first_index and mature_references.last_index
    left join {{ ref('int_mlmon__label_slot_edges') }} as edges
        on mature_references.reference_key = edges.reference_key
    where
        mature_references.reference_kind <> 'table'
        and counts.label_spec_id = case
            when mature_references.label_kind = 'categorical' then 'class'
            else edges.bin_spec_id
        end
    group by mature_references.reference_key, counts.label_bin
),

both_sides as (
    select
        spans.window_key,
        spans.span_windows,
        spans.smoothing,
        reference_counts.label_bin,
        reference_counts.n as reference_count,
        0 as current_count
    from spans
    inner join reference_counts
        on spans.reference_key = reference_counts.reference_key

    union all

    select
        spans.window_key,
        spans.span_windows,
        spans.smoothing,
        counts.label_bin,
        0 as reference_count,
        counts.n as current_count
    from spans
    inner join counts
        on
            spans.monitor = counts.monitor
            and spans.model_version = counts.model_version
            and counts.window_index between spans.first_index and spans.window_index
            and spans.label_spec_id = counts.label_spec_id
),

compared as (
    select
        window_key,
        span_windows,
        smoothing,
        label_bin,
        cast(sum(reference_count) as bigint) as reference_count,
        cast(sum(current_count) as bigint) as current_count,
        sum(sum(reference_count)) over (partition by window_key, span_windows) as n_reference,
        sum(sum(current_count)) over (partition by window_key, span_windows) as n_current
    from both_sides
    group by window_key, span_windows, smoothing, label_bin
),

smoothed as (
    select
        compared.*,
        {{ mlmon.smoothed_share('reference_count', 'n_reference', 'smoothing') }} as raw_p,
        {{ mlmon.smoothed_share('current_count', 'n_current', 'smoothing') }} as raw_q
    from compared
)

select
    window_key,
    span_windows,
    label_bin,
    reference_count,
    current_count,
    cast(n_reference as bigint) as n_reference,
    cast(n_current as bigint) as n_current,
    cast(reference_count as {{ mlmon.type_double() }}) / nullif(n_reference, 0) as p,
    cast(current_count as {{ mlmon.type_double() }}) / nullif(n_current, 0) as q,
    raw_p / nullif(sum(raw_p) over (partition by window_key, span_windows), 0) as smoothed_p,
    raw_q / nullif(sum(raw_q) over (partition by window_key, span_windows), 0) as smoothed_q
from smoothed
