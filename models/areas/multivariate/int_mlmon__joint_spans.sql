-- One row per window end whose joint drift is stale: where the samples of its default span and of
-- its reference lie. The Python model that measures joint drift reads it.
{{ config(enabled=mlmon.measures_joint_drift()) }}

with

stale as (
    select * from {{ ref('int_mlmon__stale_ends') }}
    where facts = 'drift'
),

spans as (
    select * from {{ ref('int_mlmon__spans') }}
    where is_default_span
)

select
    spans.window_key,
    spans.monitor,
    spans.model_version,
    spans.first_index,
    spans.window_index as last_index,
    settings.multivariate_rows as n_rows,
    reference_facts.reference_key,
    reference_facts.reference_kind,
    reference_facts.logged_version,
    reference_facts.first_index as reference_first_index,
    reference_facts.last_index as reference_last_index
from spans
inner join stale
    on spans.window_key = stale.window_key
inner join {{ ref('int_mlmon__settings') }} as settings
    on spans.monitor = settings.monitor
inner join {{ ref('int_mlmon__references') }} as reference_facts
    on spans.reference_key = reference_facts.reference_key
where settings.multivariate_rows is not null
