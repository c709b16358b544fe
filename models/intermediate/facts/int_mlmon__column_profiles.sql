-- One row per window and monitored column: what does not merge over windows, which is quantiles, distinct values
-- and the most frequent value. Of the quantiles the median, and all of monitors that ask for the area profiles.
{{ config(
    materialized='incremental',
    incremental_strategy='mlmon_windows',
    unique_key='window_key',
    on_schema_change='append_new_columns',
    meta={'stale': 'predictions'},
    post_hook="{{ mlmon.record_windows('predictions') }}",
) }}

with

-- Each column is sorted by itself: stored once, not read from the log as often as there are columns.
predictions as (
    select
        window_number,
        prediction_class,
        prediction_value,
        score
        {%- for slot in mlmon.slot_names() if not slot.startswith('segment') %},
        {{ slot }}
        {%- endfor %}
    from {{ ref('int_mlmon__stale_predictions') }}
    where is_success and is_profiled
),

touched as (
    select * from {{ ref('int_mlmon__stale_windows') }}
    where facts = 'predictions' and monitor is not null
),

columns as (
    select * from {{ ref('int_mlmon__column_settings') }}
),

profiled as (
    {{ mlmon.profile_slots('predictions', 'window_number') }}
)

select
    touched.window_key,
    touched.monitor,
    touched.model_version,
    touched.window_index,
    columns.column_name,
    columns.column_role,
    columns.column_kind,
    cast(profiled.n_profiled as bigint) as n_profiled,
    cast(profiled.n_distinct as bigint) as n_distinct,
    {%- set percents = mlmon.profile_percents() %}
    {%- for percent in mlmon.all_profile_percents() %}
    {%- set column = 'p' ~ '%02d' % percent %}
    {%- if percent == 50 %}
    profiled.{{ column }},
    {%- elif percent in percents %}
    case when {{ mlmon.is_of_area('profiles', 'touched.monitor') }} then profiled.{{ column }} end
        as {{ column }},
    {%- else %}
    cast(null as {{ mlmon.type_double() }}) as {{ column }},
    {%- endif %}
    {%- endfor %}
    profiled.modal_value,
    cast(profiled.modal_n as bigint) as modal_n
from profiled
inner join touched
    on profiled.window_number = touched.window_number
inner join columns
    on
        touched.monitor = columns.monitor
        and profiled.slot = columns.slot
