-- One row per monitor, log, reason and day of loading: log rows that could not be used. They are counted and
-- never vanish; a label without a prediction leaves when its prediction comes.
with

prediction_log as (
    select * from {{ ref('int_mlmon__prediction_log') }}
    where quarantine_reason is not null
),

label_log as (
    select * from {{ ref('int_mlmon__label_log') }}
),

predicted as (
    select
        monitor,
        request_id
    from {{ ref('int_mlmon__prediction_log') }}
    where quarantine_reason is null
),

orphan_labels as (
    select label_log.*
    from label_log
    where
        label_log.quarantine_reason is null
        and label_log.has_label
        and not exists (
            select 1 from predicted
            where
                predicted.monitor = label_log.monitor
                and predicted.request_id = label_log.request_id
        )
),

quarantined as (
    select
        monitor,
        cast('predictions' as {{ dbt.type_string() }}) as log_name,
        quarantine_reason as reason_code,
        request_id,
        loaded_at
    from prediction_log

    union all

    select
        monitor,
        cast('labels' as {{ dbt.type_string() }}) as log_name,
        quarantine_reason as reason_code,
        request_id,
        loaded_at
    from label_log
    where quarantine_reason is not null

    union all

    select
        monitor,
        cast('labels' as {{ dbt.type_string() }}) as log_name,
        cast('label_without_prediction' as {{ dbt.type_string() }}) as reason_code,
        request_id,
        loaded_at
    from orphan_labels
),

dated as (
    select
        quarantined.*,
        -- Rows that do not say when they were loaded stand under the first day there is.
        coalesce(cast(loaded_at as date), cast('1970-01-01' as date)) as loaded_date
    from quarantined
)

select
    monitor,
    log_name,
    reason_code,
    loaded_date,
    cast(count(*) as bigint) as n_rows,
    min(loaded_at) as first_loaded_at,
    max(loaded_at) as last_loaded_at,
    min({{ mlmon.byte_order('request_id') }}) as example_request_id
from dated
group by monitor, log_name, reason_code, loaded_date
