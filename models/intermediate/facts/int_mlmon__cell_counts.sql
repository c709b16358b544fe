-- One row per window, segment, ranked column and cell of its fine grid (macros/stats/count_cells.sql):
-- how many predictions, the sums of their standardised values, the smallest and the greatest. ks and
-- Wasserstein distances of any span are computed from it; the log is not read again.
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

select
    stale.window_key,
    stale.monitor,
    stale.model_version,
    stale.window_index,
    stale.reference_key,
    coalesce(segments.segment_name, 'all') as segment_name,
    counted.segment_value,
    columns.column_name,
    counted.cell,
    counted.n,
    counted.n_finite,
    counted.n_clamped,
    counted.sum_z,
    counted.sum_z2,
    counted.x_min,
    counted.x_max
from counted
inner join stale
    on counted.window_number = stale.window_number
inner join {{ ref('int_mlmon__column_settings') }} as columns
    on
        stale.monitor = columns.monitor
        and counted.slot_number = columns.slot_number
        and columns.is_ranked
left join ({{ mlmon.segment_settings() }}) as segments
    on
        stale.monitor = segments.monitor
        and counted.segment_position = segments.segment_position
where
    counted.segment_position = 0
    or (segments.segment_name is not null and columns.is_ranked_by_segment)
