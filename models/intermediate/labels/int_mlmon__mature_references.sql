-- One row per reference whose labels are complete: a table, or a range of the log as old as the
-- horizon. Only the labels of these are compared with, and only these calibrate scores.
with

bounds as (
    select * from {{ ref('int_mlmon__log_bounds') }}
),

settings as (
    {{ mlmon.label_settings() }}
)

select
    reference_facts.reference_key,
    reference_facts.monitor,
    reference_facts.logged_version,
    reference_facts.reference_kind,
    reference_facts.reference_hash,
    reference_facts.first_index,
    reference_facts.last_index,
    settings.label_kind
from {{ ref('int_mlmon__references') }} as reference_facts
inner join settings
    on reference_facts.monitor = settings.monitor
inner join bounds
    on reference_facts.monitor = bounds.monitor
where
    reference_facts.reference_kind = 'table'
    or bounds.data_through_at >= {{ mlmon.add_time(
        'reference_facts.reference_end_at', 'settings.label_horizon_days', 'day'
    ) }}
