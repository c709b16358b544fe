-- One row per monitor: from when to when its logs go, and from where on this run searches them for
-- changes. So a run need not read the whole logs. The search goes from the newest plausible event
-- back by the lookback, and further to the oldest window that some fact has not been computed for,
-- and to the beginning of a reference in the log that may still change.
{%- set searches_all = flags.FULL_REFRESH or var('mlmon_lookback_days') == 0 %}

with

settings as (
    select * from {{ ref('int_mlmon__settings') }}
),

version_extents as (
    select
        monitor,
        model_version,
        min(predicted_at) as first_predicted_at,
        max(predicted_at) as last_predicted_at,
        max(loaded_at) as last_loaded_at
    from {{ ref('stg_mlmon__predictions') }}
    where quarantine_reason is null
    group by monitor, model_version
),

prediction_extents as (
    select
        monitor,
        min(first_predicted_at) as first_predicted_at,
        max(last_predicted_at) as last_predicted_at,
        max(last_loaded_at) as last_loaded_at
    from version_extents
    group by monitor
),

label_extents as (
    select
        monitor,
        max(loaded_at) as last_label_loaded_at
    from {{ ref('stg_mlmon__labels') }}
    where quarantine_reason is null and has_label
    group by monitor
),

reference_versions as (
    select
        monitor,
        reference_version,
        sum(n_rows) as n_rows,
        sum(checksum) as checksum
    from {{ ref('int_mlmon__reference_checksums') }}
    group by monitor, reference_version
),

reference_checksums as (
    select
        monitor,
        {{ mlmon.concatenate(
            "reference_version || '|' || cast(n_rows as " ~ dbt.type_string() ~ ") || '|' || cast(checksum as "
            ~ dbt.type_string() ~ ")", 'reference_version'
        ) }} as reference_checksums
    from reference_versions
    group by monitor
),

hashed_settings as (
    select
        settings.*,
        md5(
            settings.config_hash || coalesce(reference_checksums.reference_checksums, '')
            || '|{{ mlmon.facts_version() }}|{{ var("mlmon_profile_rows") }}'
            || '|{{ var("mlmon_min_event_at") }}'
        ) as settings_hash
    from settings
    left join reference_checksums
        on settings.monitor = reference_checksums.monitor
),

processed as {{ mlmon.inlined() }} (
    select * from {{ ref('int_mlmon__processed_windows') }}
),

known_windows as (
    select * from processed
    where model_name = 'int_mlmon__windows' and first_predicted_at is not null
),

-- A window's fingerprint begins with the settings that it was computed under. A window whose labels
-- may still come will be read once more.
computed_windows as (
    select
        window_key,
        substr(fingerprint, 1, 32) as settings_hash,
        count(*) as n_facts,
        sum(case when fingerprint = substr(fingerprint, 1, 32) || md5('immature') then 1 else 0 end)
            as n_immature
    from processed
    where
        model_name in (
            {%- for fact in mlmon.window_facts() %}
            '{{ fact }}'{{ ',' if not loop.last }}
            {%- endfor %}
        )
    group by window_key, substr(fingerprint, 1, 32)
),

-- How far earlier runs came under today's settings. Windows whose rows the log no longer has stay
-- as they are.
progress as (
    select
        hashed_settings.monitor,
        max(known_windows.first_predicted_at) as newest_known_at,
        min(
            case
                when
                    known_windows.first_predicted_at >= prediction_extents.first_predicted_at
                    and (
                        coalesce(computed_windows.n_facts, 0) < {{ mlmon.window_facts() | length }}
                        or (hashed_settings.has_labels and computed_windows.n_immature > 0)
                    )
                    then known_windows.first_predicted_at
            end
        ) as oldest_undone_at
    from hashed_settings
    left join prediction_extents
        on hashed_settings.monitor = prediction_extents.monitor
    left join known_windows
        on hashed_settings.monitor = known_windows.monitor
    left join computed_windows
        on
            known_windows.window_key = computed_windows.window_key
            and hashed_settings.settings_hash = computed_windows.settings_hash
    group by hashed_settings.monitor
),

looked_back as (
    select
        hashed_settings.*,
        prediction_extents.first_predicted_at,
        prediction_extents.last_predicted_at,
        prediction_extents.last_loaded_at,
        label_extents.last_label_loaded_at,
        case
            when {{ searches_all | string | lower }} or progress.newest_known_at is null
                then prediction_extents.first_predicted_at
            else least(
                {{ mlmon.add_time(
                    'prediction_extents.last_predicted_at',
                    '-' ~ var('mlmon_lookback_days'), 'day'
                ) }},
                progress.newest_known_at,
                coalesce(progress.oldest_undone_at, progress.newest_known_at)
            )
        end as look_from_at
    from hashed_settings
    inner join progress
        on hashed_settings.monitor = progress.monitor
    left join prediction_extents
        on hashed_settings.monitor = prediction_extents.monitor
    left join label_extents
        on hashed_settings.monitor = label_extents.monitor
),

-- Two days more than the reference has, for local days and their clock changes. All that is
-- compared with the reference is recomputed when it changes: the whole monitor, or for first_days
-- of each version the version.
changing_references as (
    select
        looked_back.monitor,
        min(
            case
                when looked_back.compared_version is null then version_extents.first_predicted_at
                else looked_back.first_predicted_at
            end
        ) as look_from_at
    from looked_back
    inner join version_extents
        on looked_back.monitor = version_extents.monitor
    where
        (
            looked_back.reference_kind = 'dates'
            and {{ mlmon.add_time('cast(looked_back.reference_to as timestamp)', 2, 'day') }}
            >= looked_back.look_from_at
        )
        or (
            looked_back.reference_kind = 'first_days'
            and version_extents.model_version
            = coalesce(looked_back.compared_version, version_extents.model_version)
            and {{ mlmon.add_time(
                mlmon.add_time(
                    'version_extents.first_predicted_at',
                    '(looked_back.reference_first_days + 2)', 'day'
                ),
                'looked_back.close_after_minutes', 'minute'
            ) }} >= looked_back.look_from_at
        )
    group by looked_back.monitor
),

searched as (
    select
        looked_back.*,
        greatest(
            looked_back.first_predicted_at,
            least(
                looked_back.look_from_at,
                coalesce(changing_references.look_from_at, looked_back.look_from_at)
            )
        ) as search_from
    from looked_back
    left join changing_references
        on looked_back.monitor = changing_references.monitor
),

indexed as (
    select
        searched.*,
        {{ mlmon.window_index('first_predicted_at') }} as first_window_index,
        {{ mlmon.window_index('search_from') }} as search_from_index
    from searched
)

select
    monitor,
    settings_hash,
    first_predicted_at,
    last_predicted_at,
    last_loaded_at,
    last_label_loaded_at,
    greatest(last_loaded_at, coalesce(last_label_loaded_at, last_loaded_at)) as data_through_at,
    close_after_minutes,
    first_window_index,
    -- The newest window that has ended, and had its time for late rows.
    {{ mlmon.window_index(
        mlmon.add_time('last_loaded_at', '-close_after_minutes', 'minute')
    ) }} - 1 as last_closed_index,
    search_from_index,
    {{ mlmon.window_start('search_from_index') }} as search_from_at
from indexed
