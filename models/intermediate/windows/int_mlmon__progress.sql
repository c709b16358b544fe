-- One row per monitor: the hash of today's settings, and how far earlier runs came under them: the newest window that
-- the ledger knows, and the oldest that some fact has not been computed for.
with

settings as (
    select * from {{ ref('int_mlmon__settings') }}
),

reference_checksums as (
    select
        monitor,
        {{ mlmon.concatenate('reference_version || reference_checksum', 'reference_version') }}
            as reference_checksums
    from {{ ref('int_mlmon__reference_checksums') }}
    group by monitor
),

extents as (
    select
        monitor,
        min(first_predicted_at) as first_predicted_at
    from {{ ref('int_mlmon__log_extents') }}
    group by monitor
),

hashed as (
    select
        settings.monitor,
        settings.has_labels,
        extents.first_predicted_at,
        md5(
            settings.config_hash || coalesce(reference_checksums.reference_checksums, '')
            || '|{{ mlmon.facts_version() }}|{{ var("mlmon_profile_rows") }}'
            || '|{{ var("mlmon_min_event_at") }}'
        ) as settings_hash
    from settings
    left join reference_checksums
        on settings.monitor = reference_checksums.monitor
    left join extents
        on settings.monitor = extents.monitor
),

processed as (
    select * from {{ ref('int_mlmon__processed_windows') }}
),

known as (
    select * from processed
    where model_name = 'int_mlmon__windows' and first_predicted_at is not null
),

-- A window's fingerprint begins with the settings that it was computed under. One whose labels may still come will be
-- read once more.
done as (
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
)

select
    hashed.monitor,
    hashed.settings_hash,
    max(known.first_predicted_at) as newest_known_at,
    -- Windows whose rows the log no longer has stay as they are.
    min(
        case
            when
                known.first_predicted_at >= hashed.first_predicted_at
                and (
                    coalesce(done.n_facts, 0) < {{ mlmon.window_facts() | length }}
                    or (hashed.has_labels and done.n_immature > 0)
                )
                then known.first_predicted_at
        end
    ) as oldest_undone_at
from hashed
left join known
    on hashed.monitor = known.monitor
left join done
    on
        known.window_key = done.window_key
        and hashed.settings_hash = done.settings_hash
group by hashed.monitor, hashed.settings_hash
