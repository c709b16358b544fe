-- One row per window or reference table whose counts of features beside labels are out of date. Labels keep arriving for
-- weeks, and features are the widest part of a log: a window is read for them once, when its labels are complete. Before,
-- it has no rows, and no monitor here; a reference table stands under its reference_key.
{{ config(enabled=mlmon.is_asked_for('association')) }}

with

windows as (
    select * from {{ ref('int_mlmon__windows') }}
    where n_log_rows > 0
),

versions as (
    select * from {{ ref('int_mlmon__versions') }}
),

bounds as (
    select * from {{ ref('int_mlmon__log_bounds') }}
),

settings as (
    {{ mlmon.label_settings() }}
),

reference_tables as (
    select * from {{ ref('int_mlmon__references') }}
    where reference_kind = 'table'
),

matured as (
    select
        windows.window_key,
        windows.monitor,
        windows.model_version,
        windows.window_index,
        coalesce(
            bounds.data_through_at
            >= {{ mlmon.add_time('windows.window_end', 'settings.label_horizon_days', 'day') }},
            false
        ) as is_mature
    from windows
    left join bounds
        on windows.monitor = bounds.monitor
    left join settings
        on windows.monitor = settings.monitor
),

fingerprints as (
    select
        fingerprints.window_key,
        fingerprints.is_readable,
        case
            when
                coalesce(matured.is_mature, false)
                or not {{ mlmon.is_of_area('association', 'fingerprints.monitor') }}
                then fingerprints.label_fingerprint
            else substr(fingerprints.label_fingerprint, 1, 32) || md5('immature')
        end as fingerprint
    from {{ ref('int_mlmon__window_fingerprints') }} as fingerprints
    left join matured
        on fingerprints.window_key = matured.window_key

    union all

    select
        reference_key as window_key,
        true as is_readable,
        fingerprint
    from reference_tables
),

stale as (
    {{ mlmon.stale_windows('fingerprints', mlmon.mature_facts()) }}
)

select
    stale.window_key,
    stale.fingerprint,
    coalesce(matured.monitor, reference_tables.monitor) as monitor,
    matured.model_version,
    matured.window_index,
    coalesce(versions.reference_key, reference_tables.reference_key) as reference_key,
    coalesce(versions.edge_set_number, reference_tables.edge_set_number) as edge_set_number,
    reference_tables.reference_version
from stale
left join fingerprints
    on stale.window_key = fingerprints.window_key
left join matured
    on
        stale.window_key = matured.window_key
        and matured.is_mature
        and {{ mlmon.is_of_area('association', 'matured.monitor') }}
left join versions
    on
        matured.monitor = versions.monitor
        and matured.model_version = versions.model_version
left join reference_tables
    on
        stale.window_key = reference_tables.reference_key
        and {{ mlmon.is_of_area('association', 'reference_tables.monitor') }}
where coalesce(fingerprints.is_readable, true)
