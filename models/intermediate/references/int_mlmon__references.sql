-- One row per reference: the rows that a monitor's versions are compared with. Every model that
-- compares learns from it where a reference lies and whether it has changed. reference_version
-- 'all' serves every version without a reference of its own. A reference is a table, given dates of
-- the log, or the first days of each version, which count once they are complete. Where versions
-- are compared with one of them, its first days serve all: counts in different bins cannot be
-- compared. edge_set_number is the number by which facts find the bin edges of the reference
-- (int_mlmon__slot_edges). is_mature: all of its labels can have come.
with

settings as (
    select * from {{ ref('int_mlmon__settings') }}
),

bounds as (
    select * from {{ ref('int_mlmon__log_bounds') }}
),

windows as (
    select * from {{ ref('int_mlmon__windows') }}
    where source = 'log' and n_predictions > 0
),

-- Rows of a table without a time (window_index -1) are in no base window.
table_references as (
    select
        checksums.monitor,
        checksums.reference_version,
        cast(null as {{ dbt.type_string() }}) as logged_version,
        settings.reference_kind,
        cast(sum(checksums.n_rows) as bigint) as n_reference,
        min(checksums.first_predicted_at) as reference_start_at,
        max(checksums.last_predicted_at) as reference_end_at,
        cast(null as timestamp) as first_predicted_at,
        min(case when checksums.first_predicted_at is not null then checksums.window_index end)
            as first_index,
        max(case when checksums.first_predicted_at is not null then checksums.window_index end)
            as last_index,
        md5(
            cast(sum(checksums.n_rows) as {{ dbt.type_string() }}) || '|'
            || cast(sum(checksums.checksum) as {{ dbt.type_string() }})
        ) as reference_checksum,
        cast(sum(checksums.other_checksum) as {{ dbt.type_string() }}) as other_checksum
    from {{ ref('int_mlmon__reference_checksums') }} as checksums
    inner join settings
        on checksums.monitor = settings.monitor
    where settings.reference_kind = 'table'
    group by checksums.monitor, checksums.reference_version, settings.reference_kind
),

dated_ranges as (
    select
        monitor,
        'all' as reference_version,
        'all' as logged_version,
        reference_kind,
        windows_per_day * {{ mlmon.window_index_in(
            'cast(reference_from as timestamp)', 'day', 'UTC'
        ) }} as first_index,
        windows_per_day * (
            {{ mlmon.window_index_in('cast(reference_to as timestamp)', 'day', 'UTC') }} + 1
        ) - 1 as last_index
    from settings
    where reference_kind = 'dates'
),

first_windows as (
    select
        windows.monitor,
        case
            when settings.compared_version is null then windows.model_version else 'all'
        end as reference_version,
        windows.model_version as logged_version,
        settings.reference_kind,
        min(windows.window_index) as first_index,
        min(windows.window_index)
        + max(settings.reference_first_days * settings.windows_per_day) - 1 as last_index
    from windows
    inner join settings
        on windows.monitor = settings.monitor
    where
        settings.reference_kind = 'first_days'
        and windows.model_version = coalesce(settings.compared_version, windows.model_version)
    group by
        windows.monitor,
        windows.model_version,
        settings.compared_version,
        settings.reference_kind
),

first_days_ranges as (
    select
        first_windows.monitor,
        first_windows.reference_version,
        first_windows.logged_version,
        first_windows.reference_kind,
        first_windows.first_index,
        first_windows.last_index
    from first_windows
    inner join bounds
        on first_windows.monitor = bounds.monitor
    where first_windows.last_index <= bounds.last_closed_index
),

log_ranges as (
    select * from dated_ranges
    union all
    select * from first_days_ranges
),

log_references as (
    select
        log_ranges.monitor,
        log_ranges.reference_version,
        log_ranges.logged_version,
        log_ranges.reference_kind,
        cast(sum(windows.n_predictions - windows.n_errors) as bigint) as n_reference,
        min(windows.window_start) as reference_start_at,
        max(windows.window_end) as reference_end_at,
        min(windows.first_predicted_at) as first_predicted_at,
        log_ranges.first_index,
        log_ranges.last_index,
        md5({{ mlmon.concatenate(
            'windows.window_key || windows.prediction_fingerprint',
            'windows.model_version, windows.window_index',
        ) }}) as reference_checksum,
        cast('' as {{ dbt.type_string() }}) as other_checksum
    from log_ranges
    inner join windows
        on
            log_ranges.monitor = windows.monitor
            and windows.window_index between log_ranges.first_index and log_ranges.last_index
            and log_ranges.logged_version in ('all', windows.model_version)
    group by
        log_ranges.monitor,
        log_ranges.reference_version,
        log_ranges.logged_version,
        log_ranges.reference_kind,
        log_ranges.first_index,
        log_ranges.last_index
),

all_references as (
    select * from table_references
    union all
    select * from log_references
)

select
    md5(all_references.monitor || '|' || all_references.reference_version) as reference_key,
    all_references.monitor,
    all_references.reference_version,
    all_references.logged_version,
    -- The first numbers are those of int_mlmon__settings: of monitors, for versions without a
    -- reference.
    {{ mlmon.monitors() | length }} + row_number() over (
        order by all_references.monitor, all_references.reference_version
    ) as edge_set_number,
    all_references.reference_kind,
    all_references.n_reference,
    all_references.reference_start_at,
    all_references.reference_end_at,
    all_references.first_predicted_at,
    all_references.first_index,
    all_references.last_index,
    md5(
        all_references.reference_kind || '|' || all_references.reference_version
        || '|' || all_references.reference_checksum
    ) as reference_hash,
    -- Labels are compared with these alone, and scores calibrated on these: a table, or a range of
    -- the log that is as old as labels may take to come.
    settings.has_labels
    and (
        all_references.reference_kind = 'table'
        or coalesce(bounds.data_through_at >= {{ mlmon.add_time(
            'all_references.reference_end_at', 'settings.label_horizon_days', 'day'
        ) }}, false)
    ) as is_mature,
    md5(
        all_references.reference_checksum || '|' || all_references.other_checksum
        || '|' || settings.config_hash
        || '|{{ mlmon.facts_version() }}'
    ) as fingerprint,
    settings.verdict_hash
from all_references
inner join settings
    on all_references.monitor = settings.monitor
left join bounds
    on all_references.monitor = bounds.monitor
where all_references.n_reference > 0
