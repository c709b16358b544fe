-- One row per row of the searched logs outside quarantine, with whether it is the row that counts
-- for its request. So all models agree on which of several duplicates counts: newest loaded_at,
-- then newest predicted_at, then greater prediction, then greater score.
{{ config(materialized='view') }}

with

prediction_log as {{ mlmon.inlined() }} (
    select prediction_log.*
    from {{ ref('stg_mlmon__predictions') }} as prediction_log
    inner join {{ ref('int_mlmon__log_bounds') }} as bounds
        on
            prediction_log.monitor = bounds.monitor
            and prediction_log.predicted_at >= bounds.search_from_at
    where prediction_log.quarantine_reason is null
),

duplicate_requests as (
    select * from {{ ref('int_mlmon__duplicate_requests') }}
),

single_rows as (
    select
        prediction_log.*,
        true as is_counting
    from prediction_log
    where not exists (
        select 1 from duplicate_requests
        where duplicate_requests.request_hash = prediction_log.request_hash
    )
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
        ) = 1 as is_counting
    from prediction_log
    where exists (
        select 1 from duplicate_requests
        where duplicate_requests.request_hash = prediction_log.request_hash
    )
)

select * from single_rows
union all
select * from repeated_rows
