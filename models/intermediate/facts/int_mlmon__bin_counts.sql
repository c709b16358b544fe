-- One row per window (of the log or of a reference table), segment, monitored column and bin: how
-- many predictions, and the sums of their values. Distributions, drift and most quality checks are
-- computed from this table; the log is not read again.
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
    select * from {{ ref('int_mlmon__stale_predictions') }}
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
    {{ mlmon.count_bins('predictions', 'window_number', 'stale') }}
),

whole as (
    select
        window_number,
        cast('all' as {{ dbt.type_string() }}) as segment_name,
        cast('all' as {{ dbt.type_string() }}) as segment_value,
        slot,
        bin_index,
        sum(n) as n,
        sum(n_missing) as n_missing,
        sum(n_finite) as n_finite,
        sum(n_clamped) as n_clamped,
        sum(sum_z) as sum_z,
        sum(sum_z2) as sum_z2,
        min(x_min) as x_min,
        max(x_max) as x_max,
        sum(n_zeros) as n_zeros
        {%- for count in mlmon.odd_counts() %},
        sum({{ count }}) as {{ count }}
        {%- endfor %}
    from counted
    where segment_position = 1
    group by window_number, slot, bin_index
),

by_segment as (
    select
        counted.window_number,
        segments.segment_name,
        counted.segment_value,
        counted.slot,
        counted.bin_index,
        counted.n,
        counted.n_missing,
        counted.n_finite,
        counted.n_clamped,
        counted.sum_z,
        counted.sum_z2,
        counted.x_min,
        counted.x_max,
        counted.n_zeros
        {%- for count in mlmon.odd_counts() %},
        counted.{{ count }}
        {%- endfor %}
    from counted
    inner join stale
        on counted.window_number = stale.window_number
    inner join segments
        on
            stale.monitor = segments.monitor
            and counted.segment_position = segments.segment_position
),

all_counts as (
    select * from whole
    union all
    select * from by_segment
)

select
    stale.window_key,
    stale.monitor,
    stale.model_version,
    stale.window_index,
    all_counts.segment_name,
    all_counts.segment_value,
    columns.column_name,
    columns.column_role,
    columns.column_kind,
    stale.reference_key,
    all_counts.bin_index,
    cast(all_counts.n as bigint) as n,
    cast(all_counts.n_missing as bigint) as n_missing,
    cast(all_counts.n_finite as bigint) as n_finite,
    cast(all_counts.n_clamped as bigint) as n_clamped,
    all_counts.sum_z,
    all_counts.sum_z2,
    all_counts.x_min,
    all_counts.x_max,
    cast(all_counts.n_zeros as bigint) as n_zeros
    {%- for count in mlmon.odd_counts() %},
    cast(all_counts.{{ count }} as bigint) as {{ count }}
    {%- endfor %}
from all_counts
inner join stale
    on all_counts.window_number = stale.window_number
inner join columns
    on
        stale.monitor = columns.monitor
        and all_counts.slot = columns.slot
