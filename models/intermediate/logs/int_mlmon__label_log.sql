-- One row per label log row, with why it is in quarantine if it is. A NULL label is no label.
{{ config(materialized='view') }}

with

labels as (
    select * from {{ ref('stg_mlmon__labels') }}
)

select
    labels.*,
    label_class is not null
    or {{ mlmon.nan_to_null('label_value') }} is not null as has_label,
    case
        when request_id is null then 'missing_request_id'
        when labeled_at is null then 'missing_time'
        when
            loaded_at is null
            or labeled_at > {{ mlmon.add_time('loaded_at', 1, 'day') }}
            or labeled_at < {{ mlmon.timestamp_literal(var('mlmon_min_event_at')) }}
            then 'implausible_time'
    end as quarantine_reason
from labels
