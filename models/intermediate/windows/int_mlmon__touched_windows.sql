-- One row per window whose prediction facts are out of date, numbered for this run: what this run reads from
-- the logs. Windows without rows have no monitor here and only lose their facts. A window that
-- the run does not read whole keeps the facts it has.
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
        prediction_fingerprint as fingerprint
    from {{ ref('int_mlmon__window_fingerprints') }}
),

stale as (
    {{ mlmon.stale_windows('fingerprints', mlmon.prediction_facts()) }}
)

select
    row_number() over (order by stale.window_key) as window_number,
    stale.window_key,
    stale.fingerprint,
    windows.monitor,
    windows.model_version,
    windows.window_index,
    windows.window_start,
    windows.window_end,
    windows.n_predictions,
    versions.reference_key,
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
