-- One row per reference of a monitor with class scores, base window of it and column of them: as
-- int_mlmon__class_score_counts, of the reference's rows.
{{ config(
    enabled=mlmon.is_asked_for('class_scores'),
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

columns as (
    {{ mlmon.class_score_column_settings() }}
),

reference_rows as (
    select
        logged.*,
        windows.reference_window
    from {{ ref('int_mlmon__stale_reference_rows') }} as logged
    inner join windows
        on
            logged.reference_key = windows.reference_key
            and logged.window_index = windows.window_index
),

counted as (
    {{ mlmon.count_class_scores('reference_rows', 'reference_window', 'windows') }}
)

select
    windows.reference_key,
    windows.monitor,
    windows.window_index,
    columns.column_name,
    cast(counted.n as bigint) as n
    {%- for count in mlmon.class_score_count_names() %},
    cast(counted.{{ count }} as bigint) as {{ count }}
    {%- endfor %}
from counted
inner join windows
    on counted.reference_window = windows.reference_window
inner join columns
    on
        windows.monitor = columns.monitor
        and counted.slot = columns.slot
