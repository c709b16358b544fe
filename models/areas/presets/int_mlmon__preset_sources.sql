-- One row per stale window end of a monitor with presets, at its verdict span, and source of values
-- on either side: a base window of the log, or a reference table. Other tools' numbers are computed
-- from the values of these.
{{ config(enabled=mlmon.has_python_models() and mlmon.names_presets()) }}

with

ends as (
    select spans.*
    from {{ ref('int_mlmon__spans') }} as spans
    inner join {{ ref('int_mlmon__stale_ends') }} as stale
        on
            stale.facts = 'drift'
            and spans.window_key = stale.window_key
    where
        spans.is_verdict
        and spans.reference_key is not null
        and spans.monitor in (
            select monitor from {{ ref('int_mlmon__column_settings') }}
            where preset is not null
        )
),

windows as (
    select * from {{ ref('int_mlmon__windows') }}
    where source = 'log' and n_predictions > 0
)

select
    ends.window_key,
    ends.monitor,
    false as is_reference,
    windows.window_key as source_key
from ends
inner join windows
    on
        ends.monitor = windows.monitor
        and ends.model_version = windows.model_version
        and windows.window_index between ends.first_index and ends.window_index

union all

select
    ends.window_key,
    ends.monitor,
    true as is_reference,
    windows.window_key as source_key
from ends
inner join windows
    on
        ends.monitor = windows.monitor
        and ends.compared_version = windows.model_version
        and windows.window_index between ends.compared_first_index and ends.compared_last_index

union all

-- A reference in the log is read window by window.
select
    ends.window_key,
    ends.monitor,
    true as is_reference,
    coalesce(windows.window_key, reference_facts.reference_key) as source_key
from ends
inner join {{ ref('int_mlmon__references') }} as reference_facts
    on ends.reference_key = reference_facts.reference_key
left join windows
    on
        reference_facts.reference_kind <> 'table'
        and reference_facts.monitor = windows.monitor
        and windows.window_index between reference_facts.first_index and reference_facts.last_index
        and reference_facts.logged_version in ('all', windows.model_version)
where ends.compared_with = 'reference'
