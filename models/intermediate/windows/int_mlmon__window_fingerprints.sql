-- One row per window of the ledger: what its facts depend on, as one text each for predictions and labels. It begins
-- with the hash of the settings, and is the same as long as nothing that matters has changed.
{{ config(materialized='view') }}

with

windows as (
    select * from {{ ref('int_mlmon__windows') }}
),

versions as (
    select * from {{ ref('int_mlmon__versions') }}
),

bounds as (
    select * from {{ ref('int_mlmon__log_bounds') }}
)

select
    windows.window_key,
    windows.monitor,
    windows.model_version,
    windows.window_index,
    windows.n_predictions,
    bounds.monitor is null or {{ mlmon.is_read_whole('windows', 'bounds') }} as is_readable,
    coalesce(bounds.settings_hash, md5('')) || md5(
        windows.prediction_fingerprint || '|' || coalesce(versions.reference_hash, '')
    ) as prediction_fingerprint,
    coalesce(bounds.settings_hash, md5('')) || md5(
        windows.prediction_fingerprint || '|' || windows.label_fingerprint
        || '|' || coalesce(versions.reference_hash, '')
    ) as label_fingerprint
from windows
left join bounds
    on windows.monitor = bounds.monitor
left join versions
    on
        windows.monitor = versions.monitor
        and windows.model_version = versions.model_version
