-- One row per reference, base window of it, segment, monitored column and bin: how many rows. Summed over its
-- windows it is what the log is compared with; window by window it tells how much the reference varies.
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

columns as (
    select * from {{ ref('int_mlmon__column_settings') }}
),

segments as (
    {{ mlmon.segment_settings() }}
),

counted as (
    {{ mlmon.count_bins('reference_rows', 'reference_window', 'windows') }}
),

all_counts as (
    select
        reference_window,
        cast('all' as {{ dbt.type_string() }}) as segment_name,
        cast('all' as {{ dbt.type_string() }}) as segment_value,
        slot,
        bin_index,
        sum(n) as n,
        sum(n_finite) as n_finite
        {%- for count in mlmon.odd_counts() %},
        sum({{ count }}) as {{ count }}
        {%- endfor %}
    from counted
    where segment_position = 1
    group by reference_window, slot, bin_index

    union all

    select
        counted.reference_window,
        segments.segment_name,
        counted.segment_value,
        counted.slot,
        counted.bin_index,
        counted.n,
        counted.n_finite
        {%- for count in mlmon.odd_counts() %},
        counted.{{ count }}
        {%- endfor %}
    from counted
    inner join windows
        on counted.reference_window = windows.reference_window
    inner join segments
        on
            windows.monitor = segments.monitor
            and counted.segment_position = segments.segment_position
)

select
    windows.reference_key,
    windows.monitor,
    windows.window_index,
    all_counts.segment_name,
    all_counts.segment_value,
    columns.column_name,
    columns.column_role,
    columns.column_kind,
    all_counts.bin_index,
    cast(all_counts.n as bigint) as n,
    cast(all_counts.n_finite as bigint) as n_finite
    {%- for count in mlmon.odd_counts() %},
    cast(all_counts.{{ count }} as bigint) as {{ count }}
    {%- endfor %}
from all_counts
inner join windows
    on all_counts.reference_window = windows.reference_window
inner join columns
    on
        windows.monitor = columns.monitor
        and all_counts.slot = columns.slot
