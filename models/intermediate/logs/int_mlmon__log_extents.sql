-- One row per monitor and version in its prediction log: from when to when.
with

prediction_log as (
    select * from {{ ref('int_mlmon__prediction_log') }}
    where quarantine_reason is null
)

select
    monitor,
    model_version,
    min(predicted_at) as first_predicted_at,
    max(predicted_at) as last_predicted_at,
    max(loaded_at) as last_loaded_at
from prediction_log
group by monitor, model_version
