-- One row per window, segment, categorical column with rare categories, hashing and bucket of its
-- categories: how many predictions. Bins are chosen by what the reference happened to hold; buckets
-- are not, so they tell whether a column with many categories differs by more than that. Categories
-- are hashed into buckets in two ways, because two of them may share a bucket by chance.
{{ config(
    materialized='incremental',
    incremental_strategy='mlmon_windows',
    unique_key='window_key',
    on_schema_change='append_new_columns',
    meta={'stale': 'predictions'},
    post_hook="{{ mlmon.record_windows('predictions') }}",
) }}

with

predictions as {{ mlmon.inlined() }} (
    select * from {{ ref('int_mlmon__stale_predictions') }}
    where is_success
),

stale as (
    select * from {{ ref('int_mlmon__stale_windows') }}
    where facts = 'predictions' and monitor is not null
),

counted as (
    {{ mlmon.count_buckets('predictions', 'window_number', 'stale') }}
),

buckets as (
    {{ mlmon.buckets_by_segment('counted', 'window_number', 'stale', [
        'window_key', 'monitor', 'model_version', 'window_index', 'reference_key',
    ]) }}
)

select * from buckets
