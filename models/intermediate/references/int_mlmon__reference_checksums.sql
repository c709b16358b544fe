-- One row per reference table, version it serves and base window: how many rows it has, and a
-- checksum of all they hold. The checksums, which are equal on every warehouse, show whether a
-- reference table has changed, and in which windows. window_index is -1 for rows without a time.
with

rows_of_references as (
    select
        monitor,
        reference_version,
        predicted_at,
        {{ mlmon.window_index('predicted_at') }} as window_index,
        case when label_class is not null or label_value is not null then 1 else 0 end as n_labels,
        {{ mlmon.portable_checksum(
            [
                'cast(' ~ mlmon.window_index('predicted_at') ~ ' as ' ~ dbt.type_string() ~ ')',
                'prediction_class', mlmon.portable_digits('prediction_value'),
                mlmon.portable_digits('score'), 'label_class',
                mlmon.portable_digits('label_value'),
            ]
            + (['query_id', 'item_id'] if mlmon.ranking_monitors() else [])
            + mlmon.portable_slots()
            + mlmon.portable_class_scores()
        ) }} as row_checksum,
        {{ mlmon.portable_checksum(
            ['unusable_values', mlmon.portable_digits('latency_ms')]
        ) }} as other_checksum
    from {{ ref('stg_mlmon__references') }}
)

select
    monitor,
    reference_version,
    cast(coalesce(window_index, -1) as bigint) as window_index,
    cast(count(*) as bigint) as n_rows,
    cast(sum(n_labels) as bigint) as n_labels,
    min(predicted_at) as first_predicted_at,
    max(predicted_at) as last_predicted_at,
    sum(row_checksum) as checksum,
    -- What no bin depends on: latencies, and values that could not be read.
    sum(other_checksum) as other_checksum
from rows_of_references
group by monitor, reference_version, coalesce(window_index, -1)
