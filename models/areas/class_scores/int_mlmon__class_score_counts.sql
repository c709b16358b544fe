-- One row per window of a monitor with class scores and column of these: how many rows hold a value
-- that it must not have, such as a score that is no probability. Quality checks of class scores are
-- computed from it. The sum of a row's scores is a column, too.
{{ config(
    enabled=mlmon.is_asked_for('class_scores'),
    materialized='incremental',
    incremental_strategy='mlmon_windows',
    unique_key='window_key',
    on_schema_change='append_new_columns',
    meta={'stale': 'predictions'},
    post_hook="{{ mlmon.record_windows('predictions') }}",
) }}

with

stale as (
    select * from {{ ref('int_mlmon__stale_windows') }}
    where facts = 'predictions' and monitor is not null
),

columns as (
    {{ mlmon.class_score_column_settings() }}
),

predictions as (
    select * from ({{ mlmon.stale_predictions() }}) as stale_predictions
    where is_success
),

counted as (
    {{ mlmon.count_class_scores('predictions', 'window_number', 'stale') }}
)

select
    stale.window_key,
    stale.monitor,
    stale.model_version,
    stale.window_index,
    columns.column_name,
    cast(counted.n as bigint) as n
    {%- for count in mlmon.class_score_count_names() %},
    cast(counted.{{ count }} as bigint) as {{ count }}
    {%- endfor %}
from counted
inner join stale
    on counted.window_number = stale.window_number
inner join columns
    on
        stale.monitor = columns.monitor
        and counted.slot = columns.slot
