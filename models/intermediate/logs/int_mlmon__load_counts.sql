-- One row per monitor, log, day and window of loading, and fate: how many rows of the label log,
-- and of the prediction log those that cannot be used. The quarantine and the checks on logs count
-- them from here. Their own times may be missing or absurd, so they belong to the window in which
-- they were loaded (NULL where they do not say). Labels without a prediction leave theirs when it
-- comes.
with

label_log as (
    select * from {{ ref('stg_mlmon__labels') }}
    where quarantine_reason is not null or has_label
),

predicted as (
    select
        monitor,
        request_id
    from {{ ref('stg_mlmon__predictions') }}
    where quarantine_reason is null
),

log_rows as (
    select
        monitor,
        cast('predictions' as {{ dbt.type_string() }}) as log_name,
        quarantine_reason as reason_code,
        request_id,
        predicted_at as event_at,
        loaded_at
    from {{ ref('stg_mlmon__predictions') }}
    where quarantine_reason is not null

    union all

    select
        monitor,
        cast('labels' as {{ dbt.type_string() }}) as log_name,
        coalesce(
            quarantine_reason,
            case
                when not exists (
                    select 1 from predicted
                    where
                        predicted.monitor = label_log.monitor
                        and predicted.request_id = label_log.request_id
                )
                    then 'label_without_prediction'
            end,
            'none'
        ) as reason_code,
        request_id,
        labeled_at as event_at,
        loaded_at
    from label_log
),

dated as (
    select
        log_rows.*,
        -- Rows that do not say when they were loaded are counted under the first day there is.
        coalesce(cast(loaded_at as date), cast('1970-01-01' as date)) as loaded_date,
        {{ mlmon.window_index('loaded_at') }} as load_index,
        case
            when reason_code <> 'implausible_time' or loaded_at is null then 'none'
            when event_at > loaded_at then 'future'
            else 'ancient'
        end as implausibility
    from log_rows
)

select
    monitor,
    log_name,
    reason_code,
    implausibility,
    loaded_date,
    load_index,
    cast(count(*) as bigint) as n_rows,
    min(loaded_at) as first_loaded_at,
    max(loaded_at) as last_loaded_at,
    min(case when reason_code <> 'none' then {{ mlmon.byte_order('request_id') }} end)
        as example_request_id,
    min(event_at) as first_event_at
from dated
group by monitor, log_name, reason_code, implausibility, loaded_date, load_index
