-- One row per request that has more than one row in the searched part of its prediction log. Only
-- these need ranking to find the row that counts; nearly all requests have one row. Requests are
-- found by hash, so now and then there is one too many, which does no harm.
with

prediction_log as (
    select * from {{ ref('stg_mlmon__predictions') }}
    where quarantine_reason is null
),

bounds as (
    select * from {{ ref('int_mlmon__log_bounds') }}
)

select prediction_log.request_hash
from prediction_log
inner join bounds
    on
        prediction_log.monitor = bounds.monitor
        and prediction_log.predicted_at >= bounds.search_from_at
group by prediction_log.request_hash
having count(*) > 1
