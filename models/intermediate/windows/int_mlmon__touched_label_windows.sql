-- One row per window whose label facts are out of date: its predictions or their labels changed. The labelled
-- tables that references are stand beside the windows, under reference_key and without a monitor: their counts
-- are the same facts, of another source.
with

windows as (
    select * from {{ ref('int_mlmon__windows') }}
    where n_log_rows > 0
),

versions as (
    select * from {{ ref('int_mlmon__versions') }}
),

reference_tables as (
    select * from {{ ref('int_mlmon__references') }}
    where reference_kind = 'table'
),

fingerprints as (
    select
        window_key,
        is_readable,
        label_fingerprint as fingerprint
    from {{ ref('int_mlmon__window_fingerprints') }}

    union all

    select
        reference_key as window_key,
        true as is_readable,
        fingerprint
    from reference_tables
),

stale as (
    {{ mlmon.stale_windows('fingerprints', mlmon.label_facts()) }}
)

select
    stale.window_key,
    stale.fingerprint,
    windows.monitor,
    windows.model_version,
    windows.window_index,
    windows.window_start,
    coalesce(versions.edge_set_number, reference_tables.edge_set_number) as edge_set_number,
    reference_tables.reference_key,
    reference_tables.monitor as reference_monitor
from stale
left join fingerprints
    on stale.window_key = fingerprints.window_key
left join windows
    on stale.window_key = windows.window_key
left join versions
    on
        windows.monitor = versions.monitor
        and windows.model_version = versions.model_version
left join reference_tables
    on stale.window_key = reference_tables.reference_key
where coalesce(fingerprints.is_readable, true)
