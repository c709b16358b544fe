-- One row per counting, successful prediction of the windows whose values are compared by rank or for a preset.
-- Windows before the searched stretch of the log, such as a reference's, are read for themselves.
{{ config(materialized='view') }}

with

windows as (
    select * from {{ ref('int_mlmon__ranked_windows') }}
),

bounds as (
    select * from {{ ref('int_mlmon__log_bounds') }}
),

prediction_log as (
    select * from {{ ref('stg_mlmon__predictions') }}
    where quarantine_reason is null
),

searched_rows as (
    select
        {{ mlmon.ranked_columns() }},
        windows.window_number,
        windows.edge_set_number
    from {{ ref('int_mlmon__resolved_predictions') }} as logged
    inner join windows
        on
            logged.monitor = windows.monitor
            and logged.model_version = windows.model_version
            and logged.window_index = windows.window_index
    where logged.is_counting and logged.is_success
),

older_rows as (
    select
        logged.*,
        windows.window_number,
        windows.edge_set_number
    from prediction_log as logged
    inner join bounds
        on
            logged.monitor = bounds.monitor
            and logged.predicted_at < bounds.search_from_at
    inner join windows
        on
            logged.monitor = windows.monitor
            and logged.model_version = windows.model_version
            and logged.window_index = windows.window_index
),

-- A request's other rows may lie in other windows, which are not read.
repeated_requests as (
    select prediction_log.request_hash
    from prediction_log
    inner join (select distinct request_hash from older_rows) as requests
        on prediction_log.request_hash = requests.request_hash
    group by prediction_log.request_hash
    having count(*) > 1
),

repeated_rows as (
    select
        prediction_log.*,
        row_number() over (
            partition by
                prediction_log.monitor, prediction_log.model_version,
                prediction_log.request_id
            order by
                {{ mlmon.counting_order('prediction_log') }}
        ) as row_rank
    from prediction_log
    inner join repeated_requests
        on prediction_log.request_hash = repeated_requests.request_hash
),

older_counting_rows as (
    select
        {{ mlmon.ranked_columns('older_rows') }},
        older_rows.window_number,
        older_rows.edge_set_number
    from older_rows
    where
        older_rows.is_success
        and not exists (
            select 1 from repeated_requests
            where repeated_requests.request_hash = older_rows.request_hash
        )

    union all

    select
        {{ mlmon.ranked_columns('logged') }},
        windows.window_number,
        windows.edge_set_number
    from repeated_rows as logged
    inner join bounds
        on
            logged.monitor = bounds.monitor
            and logged.predicted_at < bounds.search_from_at
    inner join windows
        on
            logged.monitor = windows.monitor
            and logged.model_version = windows.model_version
            and logged.window_index = windows.window_index
    where logged.row_rank = 1 and logged.is_success
),

ranked_rows as (
    select
        {{ mlmon.ranked_columns('searched_rows') }},
        window_number,
        edge_set_number
    from searched_rows

    union all

    select
        {{ mlmon.ranked_columns('older_counting_rows') }},
        window_number,
        edge_set_number
    from older_counting_rows
)

select
    ranked_rows.window_number,
    ranked_rows.edge_set_number,
    {{ mlmon.nan_to_null('ranked_rows.prediction_value') }} as prediction_value,
    {{ mlmon.nan_to_null('ranked_rows.score') }} as score
    {%- for slot in mlmon.slot_names() if not slot.startswith('category') %},
    {{ mlmon.resolved_segment('ranked_rows.' ~ slot, slot ~ '_values')
        if slot.startswith('segment') else mlmon.nan_to_null('ranked_rows.' ~ slot) }} as {{ slot }}
    {%- endfor %}
    {%- for slot in mlmon.preset_slots_of('categorical') %},
    ranked_rows.{{ slot }}
    {%- endfor %}
from ranked_rows
{%- for number in range(1, mlmon.slot_counts()['segment'] + 1) %}
left join {{ ref('int_mlmon__slot_segments') }} as segment_{{ number }}_values
    on
        ranked_rows.edge_set_number = segment_{{ number }}_values.edge_set_number
        and segment_{{ number }}_values.slot = 'segment_{{ number }}'
        and ranked_rows.segment_{{ number }} = segment_{{ number }}_values.segment_value
{%- endfor %}
