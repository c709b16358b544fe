-- One row per monitor and version that the log holds: when it served, and which reference it is
-- compared with. Spans learn from it which version is the current one, and whether a version has
-- its own reference or the one that serves all.
with

windows as (
    select * from {{ ref('int_mlmon__windows') }}
    where source = 'log' and n_predictions > 0
),

references_of_monitors as (
    select * from {{ ref('int_mlmon__references') }}
),

settings as (
    select * from {{ ref('int_mlmon__settings') }}
),

versions as (
    select
        monitor,
        model_version,
        min(window_index) as first_index,
        max(window_index) as last_index,
        min(first_predicted_at) as first_predicted_at,
        max(last_predicted_at) as last_predicted_at
    from windows
    group by monitor, model_version
),

ranked as (
    select
        versions.*,
        row_number() over (
            partition by monitor
            order by first_index desc, last_index desc, model_version desc
        ) = 1 as is_current_version
    from versions
)

select
    {{ mlmon.monitor_key('ranked.monitor', 'ranked.model_version') }} as monitor_key,
    ranked.monitor,
    ranked.model_version,
    ranked.first_index,
    ranked.last_index,
    ranked.first_predicted_at,
    ranked.last_predicted_at,
    ranked.is_current_version,
    coalesce(own_reference.reference_key, shared_reference.reference_key) as reference_key,
    coalesce(
        own_reference.edge_set_number, shared_reference.edge_set_number, settings.edge_set_number
    ) as edge_set_number,
    coalesce(own_reference.reference_hash, shared_reference.reference_hash) as reference_hash,
    coalesce(own_reference.n_reference, shared_reference.n_reference) as n_reference
from ranked
left join settings
    on ranked.monitor = settings.monitor
left join references_of_monitors as own_reference
    on
        ranked.monitor = own_reference.monitor
        and ranked.model_version = own_reference.reference_version
left join references_of_monitors as shared_reference
    on
        ranked.monitor = shared_reference.monitor
        and shared_reference.reference_version = 'all'
