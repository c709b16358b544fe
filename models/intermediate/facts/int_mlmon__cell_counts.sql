-- One row per window, segment, ranked column and cell of its fine grid: how many predictions, and
-- the smallest and greatest value. Summed over windows they bound the distance of two distribution
-- functions from both sides, so that only the values of a few cells are read from the log.
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
    {{ mlmon.count_cells('predictions', 'window_number') }}
)

{{ mlmon.name_cells('counted', 'window_number', 'stale', [
    'keyed.window_key', 'keyed.monitor', 'keyed.model_version', 'keyed.window_index',
    'keyed.reference_key',
]) }}
