-- One row per window (of the log or of a reference table) and label bin (its class, or the number
-- of its bin): how many predictions have such a label at the horizon. Label drift is computed from
-- it; it merges over windows by sum.
{{ config(
    materialized='incremental',
    incremental_strategy='mlmon_windows',
    unique_key='window_key',
    on_schema_change='append_new_columns',
    meta={'stale': 'labels'},
    post_hook="{{ mlmon.record_windows('labels') }}",
) }}

with

stale as (
    select * from {{ ref('int_mlmon__stale_windows') }}
    where facts = 'labels' and monitor is not null
),

settings as (
    {{ mlmon.label_settings() }}
),

reference_facts as (
    select * from {{ ref('int_mlmon__references') }}
),

labels as (
    select
        stale.window_key,
        stale.monitor,
        stale.model_version,
        stale.window_index,
        stale.reference_key,
        reference_facts.reference_hash,
        settings.label_kind,
        labelled.label_class,
        labelled.label_value
    from {{ ref('int_mlmon__labelled_predictions') }} as labelled
    inner join stale
        on labelled.window_key = stale.window_key
    inner join settings
        on labelled.monitor = settings.monitor
    left join reference_facts
        on stale.reference_key = reference_facts.reference_key
    where {{ mlmon.counts_at_age('labelled', 'settings.label_horizon_days') }}
),

binned as (
    select
        labels.*,
        {{ mlmon.label_bin('labels', 'edges') }} as label_bin
    from labels
    left join {{ ref('int_mlmon__slot_edges') }} as edges
        on
            labels.reference_key = edges.reference_key
            and edges.slot = 'label_value'
    where
        (labels.label_kind = 'categorical' and labels.label_class is not null)
        -- Without a reference there are no bins for numbers.
        or (
            labels.label_kind = 'numeric'
            and labels.label_value is not null
            and labels.reference_key is not null
        )
)

select
    window_key,
    monitor,
    model_version,
    window_index,
    -- Bins of numbers depend on the reference: counts in the bins of another are not compared.
    case when label_kind = 'categorical' then 'class' else md5('label|' || reference_hash) end
        as label_spec_id,
    label_bin,
    cast(count(*) as bigint) as n
from binned
group by
    window_key, monitor, model_version, window_index, label_kind, reference_hash, label_bin
