-- One row per window and monitored column: quantiles, distinct values and the most frequent value.
-- They are stored for each window because they cannot be merged over windows. Of the quantiles
-- every monitor has the median, and monitors with the area profiles have all.
{{ config(
    materialized='incremental',
    incremental_strategy='mlmon_windows',
    unique_key='window_key',
    on_schema_change='append_new_columns',
    meta={'stale': 'predictions'},
    post_hook="{{ mlmon.record_windows('predictions') }}",
) }}

with

-- Each column is sorted by itself, so they are stored once and not read from the log for every
-- column.
predictions as (
    select
        window_number,
        prediction_class,
        prediction_value,
        score
        {%- for slot in mlmon.slot_names() if not slot.startswith('segment') %},
        {{ slot }}
        {%- endfor %}
    from ({{ mlmon.stale_predictions() }}) as stale_predictions
    where is_success and is_profiled
),

stale as (
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
    stale.window_key,
    stale.monitor,
    stale.model_version,
    stale.window_index,
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
    case when {{ mlmon.is_of_area('profiles', 'stale.monitor') }} then profiled.{{ column }} end
        as {{ column }},
    {%- else %}
    cast(null as {{ mlmon.type_double() }}) as {{ column }},
    {%- endif %}
    {%- endfor %}
    profiled.modal_value,
    cast(profiled.modal_n as bigint) as modal_n
from profiled
inner join stale
    on profiled.window_number = stale.window_number
inner join columns
    on
        stale.monitor = columns.monitor
        and profiled.slot = columns.slot
