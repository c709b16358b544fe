-- One row per reference, segment, categorical column with rare categories hashing and bucket of its categories: how many rows.
{{ config(
    materialized='incremental',
    incremental_strategy='mlmon_windows',
    unique_key='reference_key',
    on_schema_change='append_new_columns',
    meta={'stale': 'references'},
    post_hook="{{ mlmon.record_windows('references') }}",
) }}

with

windows as (
    {{ mlmon.reference_windows() }}
),

reference_rows as (
    {{ mlmon.resolved_reference_rows('windows') }}
),

counted as (
    {{ mlmon.count_buckets('reference_rows', 'reference_window', 'windows') }}
),

buckets as (
    {{ mlmon.buckets_by_segment('counted', 'reference_window', 'windows', [
        'reference_key', 'monitor',
    ]) }}
)

select
    reference_key,
    monitor,
    segment_name,
    segment_value,
    column_name,
    hashing,
    bucket,
    cast(sum(n) as bigint) as n
from buckets
group by reference_key, monitor, segment_name, segment_value, column_name, hashing, bucket
