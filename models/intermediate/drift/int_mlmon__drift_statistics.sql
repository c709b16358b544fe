-- One row per stale window end, span, segment and column: every drift statistic, and the counts
-- that its p-values are made from. The two models of p-values (int_mlmon__drift_tests_sql and the
-- Python one) read it, and fct_mlmon__drift judges it. For them test_number is the number of the
-- row, and family_number that of the features whose p-values are adjusted together (NULL for
-- columns that are tested alone).
{%- set keys = mlmon.comparison_keys() %}
{%- set bucket_keys = keys + ['hashing'] %}

with

shares as (
    select * from {{ ref('int_mlmon__compared_shares') }}
),

compared_shares as (
    select * from shares
    where is_compared
),

statistics as (
    {{ mlmon.binned_statistics('compared_shares', keys) }}
),

described as (
    select
        {{ keys | join(', ') }},
        max(bin_spec_id) as bin_spec_id,
        max(smoothing) as smoothing,
        sum(reference_count) as n_reference_rows,
        sum(current_count) as n_current_rows,
        sum(case when bin_kind = 'missing' then reference_count else 0 end) as n_reference_missing,
        sum(case when bin_kind = 'missing' then current_count else 0 end) as n_current_missing,
        {{ mlmon.missing_change() }} as missing_change
    from shares
    group by {{ keys | join(', ') }}
),

-- Rare categories share buckets by two hashings of their names: the same test, once for each.
stale as (
    select spans.*
    from {{ ref('int_mlmon__spans') }} as spans
    inner join {{ ref('int_mlmon__stale_ends') }} as stale
        on
            stale.facts = 'drift'
            and spans.window_key = stale.window_key
    where spans.reference_key is not null
),

bucket_counts as (
    select * from {{ ref('int_mlmon__bucket_counts') }}
),

current_buckets as (
    select
        stale.window_key,
        stale.span_windows,
        bucket_counts.segment_name,
        bucket_counts.segment_value,
        bucket_counts.column_name,
        bucket_counts.hashing,
        bucket_counts.bucket,
        0 as reference_count,
        sum(bucket_counts.n) as current_count
    from stale
    inner join bucket_counts
        on
            stale.monitor = bucket_counts.monitor
            and stale.model_version = bucket_counts.model_version
            and stale.reference_key = bucket_counts.reference_key
            and bucket_counts.window_index between stale.first_index and stale.window_index
    where bucket_counts.segment_name = 'all' or stale.is_verdict
    group by
        stale.window_key, stale.span_windows, bucket_counts.segment_name,
        bucket_counts.segment_value, bucket_counts.column_name, bucket_counts.hashing,
        bucket_counts.bucket
),

reference_buckets as (
    select
        reference_windows.reference_key,
        bucket_counts.segment_name,
        bucket_counts.segment_value,
        bucket_counts.column_name,
        bucket_counts.hashing,
        bucket_counts.bucket,
        sum(bucket_counts.n) as n
    from {{ ref('int_mlmon__reference_windows') }} as reference_windows
    inner join {{ ref('int_mlmon__bucket_counts') }} as bucket_counts
        on
            reference_windows.window_key = bucket_counts.window_key
            and reference_windows.reference_key = bucket_counts.reference_key
    where
        reference_windows.reference_key in (
            select reference_key from stale
            where compared_with = 'reference'
        )
    group by
        reference_windows.reference_key, bucket_counts.segment_name,
        bucket_counts.segment_value, bucket_counts.column_name, bucket_counts.hashing,
        bucket_counts.bucket
),

fixed_reference_buckets as (
    select
        stale.window_key,
        stale.span_windows,
        reference_buckets.segment_name,
        reference_buckets.segment_value,
        reference_buckets.column_name,
        reference_buckets.hashing,
        reference_buckets.bucket,
        reference_buckets.n as reference_count,
        0 as current_count
    from stale
    inner join reference_buckets
        on stale.reference_key = reference_buckets.reference_key
    where stale.compared_with = 'reference'
),

moving_reference_buckets as (
    select
        stale.window_key,
        stale.span_windows,
        bucket_counts.segment_name,
        bucket_counts.segment_value,
        bucket_counts.column_name,
        bucket_counts.hashing,
        bucket_counts.bucket,
        sum(bucket_counts.n) as reference_count,
        0 as current_count
    from stale
    inner join bucket_counts
        on
            stale.monitor = bucket_counts.monitor
            and stale.compared_version = bucket_counts.model_version
            and stale.reference_key = bucket_counts.reference_key
            and bucket_counts.window_index
            between stale.compared_first_index and stale.compared_last_index
    group by
        stale.window_key, stale.span_windows, bucket_counts.segment_name,
        bucket_counts.segment_value, bucket_counts.column_name, bucket_counts.hashing,
        bucket_counts.bucket
),

all_buckets as (
    select * from current_buckets
    union all
    select * from fixed_reference_buckets
    union all
    select * from moving_reference_buckets
),

described_buckets as (
    select
        all_buckets.window_key,
        all_buckets.span_windows,
        all_buckets.segment_name,
        all_buckets.segment_value,
        all_buckets.column_name,
        all_buckets.hashing,
        all_buckets.bucket as bin_index,
        case when all_buckets.bucket = -1 then 'missing' else 'category' end as bin_kind,
        columns.smoothing,
        columns.missing_policy,
        sum(all_buckets.reference_count) as reference_count,
        sum(all_buckets.current_count) as current_count
    from all_buckets
    inner join stale
        on
            all_buckets.window_key = stale.window_key
            and all_buckets.span_windows = stale.span_windows
    inner join {{ ref('int_mlmon__column_settings') }} as columns
        on
            stale.monitor = columns.monitor
            and all_buckets.column_name = columns.column_name
    group by
        all_buckets.window_key, all_buckets.span_windows, all_buckets.segment_name,
        all_buckets.segment_value, all_buckets.column_name, all_buckets.hashing,
        all_buckets.bucket, columns.smoothing, columns.missing_policy
),

bucket_shares as (
    {{ mlmon.compare_shares('described_buckets', bucket_keys) }}
),

compared_bucket_shares as (
    select * from bucket_shares
    where is_compared
),

buckets as (
    select * from (
        {{ mlmon.binned_statistics('compared_bucket_shares', bucket_keys) }}
    ) as bucket_statistics
    where n_reference > 0 and n_current > 0
),

ranks as (
    select * from {{ ref('int_mlmon__rank_statistics') }}
)

select
    described.window_key,
    described.span_windows,
    described.segment_name,
    described.segment_value,
    described.column_name,
    described.bin_spec_id,
    described.smoothing,
    columns.column_role,
    row_number() over (
        order by
            described.window_key, described.span_windows, described.segment_name,
            described.segment_value, described.column_name
    ) as test_number,
    case
        when columns.column_role = 'feature'
            then dense_rank() over (
                order by
                    described.window_key, described.span_windows, described.segment_name,
                    described.segment_value
            )
    end as family_number,
    coalesce(statistics.n_reference, 0) as n_reference,
    coalesce(statistics.n_current, 0) as n_current,
    statistics.n_bins,
    statistics.psi,
    statistics.js_distance,
    statistics.js_divergence,
    statistics.hellinger,
    statistics.total_variation,
    statistics.l_infinity,
    statistics.chi_square,
    cast(statistics.degrees_of_freedom as bigint) as degrees_of_freedom,
    statistics.dense_chi_square,
    statistics.pooled_chi_square,
    cast(statistics.sparse_reference as bigint) as sparse_reference,
    cast(statistics.sparse_current as bigint) as sparse_current,
    {%- for hashing in mlmon.bucket_hashings() %}
    {%- set buckets = 'buckets_' ~ hashing %}
    cast({{ buckets }}.degrees_of_freedom as bigint) as {{ buckets }}_degrees_of_freedom,
    {{ buckets }}.dense_chi_square as {{ buckets }}_dense_chi_square,
    {{ buckets }}.pooled_chi_square as {{ buckets }}_pooled_chi_square,
    cast({{ buckets }}.sparse_reference as bigint) as {{ buckets }}_sparse_reference,
    cast({{ buckets }}.sparse_current as bigint) as {{ buckets }}_sparse_current,
    {%- endfor %}
    cast(described.n_reference_rows as bigint) as n_reference_rows,
    cast(described.n_current_rows as bigint) as n_current_rows,
    cast(described.n_reference_missing as bigint) as n_reference_missing,
    cast(described.n_current_missing as bigint) as n_current_missing,
    described.missing_change,
    cast(described.n_reference_rows - described.n_reference_missing as bigint)
        as n_reference_values,
    cast(described.n_current_rows - described.n_current_missing as bigint) as n_current_values,
    {%- for method in mlmon.numeric_drift_methods() %}
    ranks.{{ method }},
    ranks.{{ method }}_error{{ ',' if not loop.last }}
    {%- endfor %}
from described
inner join {{ ref('int_mlmon__spans') }} as spans
    on
        described.window_key = spans.window_key
        and described.span_windows = spans.span_windows
inner join {{ ref('int_mlmon__column_settings') }} as columns
    on
        spans.monitor = columns.monitor
        and described.column_name = columns.column_name
left join statistics
    on {{ mlmon.same_comparison('described', 'statistics') }}
left join ranks
    on
        {{ mlmon.same_comparison('described', 'ranks') }}
        -- A window that left the log before its column was ranked has no cells.
        and described.n_reference_rows - described.n_reference_missing = ranks.n_reference
        and described.n_current_rows - described.n_current_missing = ranks.n_current
{%- for hashing in mlmon.bucket_hashings() %}
left join buckets as buckets_{{ hashing }}
    on
        buckets_{{ hashing }}.hashing = {{ hashing }}
        and {{ mlmon.same_comparison('described', 'buckets_' ~ hashing) }}
{%- endfor %}
