-- One row per touched window end, span, segment, categorical column with rare categories and hashing: the test of its
-- buckets, in the same form as the test of its bins (int_mlmon__drift_statistics).
{%- set keys = mlmon.comparison_keys() + ['hashing'] %}

with

touched as (
    select spans.*
    from {{ ref('int_mlmon__spans') }} as spans
    inner join {{ ref('int_mlmon__touched_verdict_windows') }} as touched
        on spans.window_key = touched.window_key
    where spans.reference_key is not null
),

bucket_counts as (
    select * from {{ ref('int_mlmon__bucket_counts') }}
),

current_counts as (
    select
        touched.window_key,
        touched.span_windows,
        bucket_counts.segment_name,
        bucket_counts.segment_value,
        bucket_counts.column_name,
        bucket_counts.hashing,
        bucket_counts.bucket,
        0 as reference_count,
        sum(bucket_counts.n) as current_count
    from touched
    inner join bucket_counts
        on
            touched.monitor = bucket_counts.monitor
            and touched.model_version = bucket_counts.model_version
            and touched.reference_key = bucket_counts.reference_key
            and bucket_counts.window_index between touched.first_index and touched.window_index
    where bucket_counts.segment_name = 'all' or touched.is_verdict
    group by
        touched.window_key, touched.span_windows, bucket_counts.segment_name,
        bucket_counts.segment_value, bucket_counts.column_name, bucket_counts.hashing,
        bucket_counts.bucket
),

fixed_counts as (
    select
        touched.window_key,
        touched.span_windows,
        buckets.segment_name,
        buckets.segment_value,
        buckets.column_name,
        buckets.hashing,
        buckets.bucket,
        buckets.n as reference_count,
        0 as current_count
    from touched
    inner join {{ ref('int_mlmon__reference_bucket_counts') }} as buckets
        on touched.reference_key = buckets.reference_key
    where touched.compared_with = 'reference'
),

moving_counts as (
    select
        touched.window_key,
        touched.span_windows,
        bucket_counts.segment_name,
        bucket_counts.segment_value,
        bucket_counts.column_name,
        bucket_counts.hashing,
        bucket_counts.bucket,
        sum(bucket_counts.n) as reference_count,
        0 as current_count
    from touched
    inner join bucket_counts
        on
            touched.monitor = bucket_counts.monitor
            and touched.compared_version = bucket_counts.model_version
            and touched.reference_key = bucket_counts.reference_key
            and bucket_counts.window_index
            between touched.compared_first_index and touched.compared_last_index
    group by
        touched.window_key, touched.span_windows, bucket_counts.segment_name,
        bucket_counts.segment_value, bucket_counts.column_name, bucket_counts.hashing,
        bucket_counts.bucket
),

both_sides as (
    select * from current_counts
    union all
    select * from fixed_counts
    union all
    select * from moving_counts
),

described as (
    select
        both_sides.window_key,
        both_sides.span_windows,
        both_sides.segment_name,
        both_sides.segment_value,
        both_sides.column_name,
        both_sides.hashing,
        both_sides.bucket as bin_index,
        case when both_sides.bucket = -1 then 'missing' else 'category' end as bin_kind,
        columns.smoothing,
        columns.missing_policy,
        sum(both_sides.reference_count) as reference_count,
        sum(both_sides.current_count) as current_count
    from both_sides
    inner join touched
        on
            both_sides.window_key = touched.window_key
            and both_sides.span_windows = touched.span_windows
    inner join {{ ref('int_mlmon__column_settings') }} as columns
        on
            touched.monitor = columns.monitor
            and both_sides.column_name = columns.column_name
    group by
        both_sides.window_key, both_sides.span_windows, both_sides.segment_name,
        both_sides.segment_value, both_sides.column_name, both_sides.hashing, both_sides.bucket,
        columns.smoothing, columns.missing_policy
),

shares as (
    {{ mlmon.compare_shares('described', keys) }}
),

compared_shares as (
    select * from shares
    where is_compared
),

statistics as (
    {{ mlmon.binned_statistics('compared_shares', keys) }}
)

select
    {{ keys | join(', ') }},
    dense_chi_square,
    pooled_chi_square,
    degrees_of_freedom,
    sparse_reference,
    sparse_current
from statistics
where n_reference > 0 and n_current > 0
