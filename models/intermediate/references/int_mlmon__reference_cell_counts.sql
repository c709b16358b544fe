-- One row per reference, base window of it, segment, ranked column and cell of its fine grid: how many rows, and the
-- smallest and greatest value.
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
    {{ mlmon.count_cells('reference_rows', 'reference_window') }}
)

{{ mlmon.name_cells('counted', 'reference_window', 'windows', [
    'keyed.reference_key', 'keyed.monitor', 'keyed.window_index',
]) }}
