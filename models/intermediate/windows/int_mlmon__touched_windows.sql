-- One row per window whose prediction facts are out of date, numbered for this run: what this run reads from
-- the logs. Windows that are gone have no monitor and only lose their rows (fingerprint NULL).
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
            windows.prediction_fingerprint || '|' || coalesce(settings.config_hash, '')
            || '|' || coalesce(versions.reference_hash, '')
            || '|{{ mlmon.facts_version() }}|{{ var("mlmon_profile_rows") }}'
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
        'int_mlmon__bin_counts', 'int_mlmon__operation_sums', 'int_mlmon__latency_counts',
        'int_mlmon__column_profiles',
    ]) }}
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
left join windows
    on stale.window_key = windows.window_key
left join versions
    on
        windows.monitor = versions.monitor
        and windows.model_version = versions.model_version
