-- One row per window whose label facts are out of date: its predictions or their labels changed.
with

windows as (
    select * from {{ ref('int_mlmon__windows') }}
),

versions as (
    select * from {{ ref('int_mlmon__versions') }}
),

settings as (
    select * from {{ ref('int_mlmon__settings') }}
),

fingerprints as (
    select
        windows.window_key,
        md5(
            windows.prediction_fingerprint || '|' || windows.label_fingerprint
            || '|' || coalesce(settings.config_hash, '')
            || '|' || coalesce(versions.reference_hash, '')
            || '|{{ mlmon.facts_version() }}'
        ) as fingerprint
    from windows
    left join settings
        on windows.monitor = settings.monitor
    left join versions
        on
            windows.monitor = versions.monitor
            and windows.model_version = versions.model_version
),

stale as (
    {{ mlmon.stale_windows('fingerprints', [
        'int_mlmon__labelled_predictions', 'int_mlmon__confusion_counts',
    ]) }}
)

select
    stale.window_key,
    stale.fingerprint,
    windows.monitor,
    windows.model_version,
    windows.window_index,
    windows.window_start,
    versions.reference_key
from stale
left join windows
    on stale.window_key = windows.window_key
left join versions
    on
        windows.monitor = versions.monitor
        and windows.model_version = versions.model_version
