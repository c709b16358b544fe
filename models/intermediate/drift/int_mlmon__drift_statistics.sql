-- One row per touched window end, span, segment and column: every drift statistic, and the counts that its p-values
-- are made from. test_number and family_number are for models that judge: numbers of the row, and of the features
-- whose p-values are adjusted together (NULL for columns that stand alone).
with

shares as (
    select * from {{ ref('int_mlmon__compared_shares') }}
),

compared_shares as (
    select * from shares
    where is_compared
),

statistics as (
    {{ mlmon.binned_statistics('compared_shares', mlmon.comparison_keys()) }}
),

described as (
    select
        {{ mlmon.comparison_keys() | join(', ') }},
        max(bin_spec_id) as bin_spec_id,
        max(smoothing) as smoothing,
        sum(reference_count) as n_reference_rows,
        sum(current_count) as n_current_rows,
        sum(case when bin_kind = 'missing' then reference_count else 0 end) as n_reference_missing,
        sum(case when bin_kind = 'missing' then current_count else 0 end) as n_current_missing,
        {{ mlmon.missing_change() }} as missing_change
    from shares
    group by {{ mlmon.comparison_keys() | join(', ') }}
),

ranks as (
    select * from {{ ref('int_mlmon__rank_statistics') }}
),

distances as (
    select * from {{ ref('int_mlmon__transport_distances') }}
),

buckets as (
    select * from {{ ref('int_mlmon__bucket_statistics') }}
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
    ranks.ks,
    ranks.ks_is_exact,
    cast(described.n_reference_rows - described.n_reference_missing as bigint)
        as n_reference_values,
    cast(described.n_current_rows - described.n_current_missing as bigint) as n_current_values,
    ranks.read_share as ks_read_share,
    distances.wasserstein,
    distances.wasserstein_normed
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
    on {{ mlmon.same_comparison('described', 'ranks') }}
left join distances
    on {{ mlmon.same_comparison('described', 'distances') }}
{%- for hashing in mlmon.bucket_hashings() %}
left join buckets as buckets_{{ hashing }}
    on
        buckets_{{ hashing }}.hashing = {{ hashing }}
        and {{ mlmon.same_comparison('described', 'buckets_' ~ hashing) }}
{%- endfor %}
