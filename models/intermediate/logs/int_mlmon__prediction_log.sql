-- One row per prediction log row, with the window it falls into, and why it is in quarantine if it is.
{{ config(materialized='view') }}

with

predictions as {{ mlmon.inlined() }} (
    select * from {{ ref('stg_mlmon__predictions') }}
)

select
    predictions.*,
    {{ mlmon.row_hash(['monitor', 'model_version', 'request_id']) }} as request_hash,
    {{ mlmon.window_index('predicted_at') }} as window_index,
    case
        when request_id is null then 'missing_request_id'
        when predicted_at is null then 'missing_time'
        when
            loaded_at is null
            or predicted_at > {{ mlmon.add_time('loaded_at', 1, 'day') }}
            or predicted_at < {{ mlmon.timestamp_literal(var('mlmon_min_event_at')) }}
            then 'implausible_time'
        when model_version = 'all' then 'reserved_version'
    end as quarantine_reason
from predictions
