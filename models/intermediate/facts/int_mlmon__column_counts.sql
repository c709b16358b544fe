-- One row per window (of the log or of a reference table), segment, monitored column, bin and cell:
-- how many predictions, and the sums, smallest and greatest of their finite values. Distributions,
-- drift and most quality checks are computed from this table; the log is not read again. Two kinds
-- of columns have cells: ranked ones those of a fine grid (macros/stats/cells.sql), and categorical
-- ones with rare categories a hash of the category (macros/stats/buckets.sql).
{{ config(
    access='public',
    materialized='incremental',
    incremental_strategy='mlmon_windows',
    unique_key='window_key',
    on_schema_change='append_new_columns',
    meta={'stale': 'predictions'},
    post_hook="{{ mlmon.record_windows('predictions') }}",
) }}

with

predictions as {{ mlmon.inlined() }} (
    select * from ({{ mlmon.stale_predictions() }}) as stale_predictions
    where is_success
),

stale as (
    select * from {{ ref('int_mlmon__stale_windows') }}
    where facts = 'predictions' and monitor is not null
),

columns as (
    select * from {{ ref('int_mlmon__column_settings') }}
),

segments as (
    {{ mlmon.segment_settings() }}
),

counted as (
    {{ mlmon.count_columns('predictions', 'window_number', 'stale') }}
),

-- The whole monitor, added up from the first segment column, and each segment.
placed as (
    select
        counted.*,
        cast('all' as {{ dbt.type_string() }}) as placed_name,
        cast('all' as {{ dbt.type_string() }}) as placed_value
    from counted
    where segment_position = 1

    union all

    select
        counted.*,
        segments.segment_name as placed_name,
        counted.segment_value as placed_value
    from counted
    inner join stale
        on counted.window_number = stale.window_number
    inner join segments
        on
            stale.monitor = segments.monitor
            and counted.segment_position = segments.segment_position
),

named as (
    select
        placed.*,
        stale.window_key,
        stale.monitor,
        stale.model_version,
        stale.window_index,
        stale.reference_key,
        columns.column_name,
        columns.column_role,
        columns.column_kind,
        case
            when columns.column_kind = 'categorical' then placed.cell
            when columns.is_ranked and placed.placed_name = 'all' then placed.cell
            when columns.is_ranked and columns.is_ranked_by_segment
                then {{ mlmon.coarse_cell('placed.cell', 'columns.column_role') }}
        end as placed_cell
    from placed
    inner join stale
        on placed.window_number = stale.window_number
    inner join columns
        on
            stale.monitor = columns.monitor
            and placed.slot = columns.slot
)

select
    window_key,
    monitor,
    model_version,
    window_index,
    placed_name as segment_name,
    placed_value as segment_value,
    column_name,
    column_role,
    column_kind,
    reference_key,
    bin_index,
    cast(placed_cell as bigint) as cell,
    {%- for count in ['n', 'n_missing', 'n_finite', 'n_clamped'] %}
    cast(sum({{ count }}) as bigint) as {{ count }},
    {%- endfor %}
    sum(sum_z) as sum_z,
    sum(sum_z2) as sum_z2,
    min(x_min) as x_min,
    max(x_max) as x_max,
    cast(sum(n_zeros) as bigint) as n_zeros
    {%- for count in mlmon.failed_counts() %},
    cast(sum({{ count }}) as bigint) as {{ count }}
    {%- endfor %}
from named
group by
    window_key, monitor, model_version, window_index, placed_name, placed_value, column_name,
    column_role, column_kind, reference_key, bin_index, placed_cell
