-- One row per window whose label facts are out of date: its predictions or their labels changed.
with

windows as (
    select * from {{ ref('int_mlmon__windows') }}
    where n_log_rows > 0
),

versions as (
    select * from {{ ref('int_mlmon__versions') }}
),

fingerprints as (
    select
        window_key,
        is_readable,
        label_fingerprint as fingerprint
    from {{ ref('int_mlmon__window_fingerprints') }}
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
    versions.edge_set_number
from stale
left join fingerprints
    on stale.window_key = fingerprints.window_key
left join windows
    on stale.window_key = windows.window_key
left join versions
    on
        windows.monitor = versions.monitor
        and windows.model_version = versions.model_version
where coalesce(fingerprints.is_readable, true)
