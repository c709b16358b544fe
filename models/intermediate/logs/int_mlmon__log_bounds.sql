-- One row per monitor: what stretch of its logs there is, and from where on this run looks for changes.
-- The lookback counts back from the newest plausible event; a changed configuration or reference table, a
-- log-based reference inside the lookback, and a full refresh look at all of it.
{%- set searches_all = flags.FULL_REFRESH or var('mlmon_lookback_days') == 0 %}

with

prediction_log as (
    select * from {{ ref('int_mlmon__prediction_log') }}
    where quarantine_reason is null
),

label_log as (
    select * from {{ ref('int_mlmon__label_log') }}
    where quarantine_reason is null and has_label
),

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

prediction_bounds as (
    select
        monitor,
        min(predicted_at) as first_predicted_at,
        max(predicted_at) as last_predicted_at,
        max(loaded_at) as last_loaded_at
    from prediction_log
    group by monitor
),

label_bounds as (
    select
        monitor,
        max(loaded_at) as last_label_loaded_at
    from label_log
    group by monitor
),

seen_settings as (
    select
        window_key as monitor,
        fingerprint as settings_hash
    from {{ ref('int_mlmon__processed_windows') }}
    where model_name = 'int_mlmon__windows'
),

bounds as (
    select
        settings.monitor,
        settings.config_hash,
        settings.reference_kind,
        settings.reference_to,
        settings.reference_first_days,
        settings.close_after_minutes,
        prediction_bounds.first_predicted_at,
        prediction_bounds.last_predicted_at,
        prediction_bounds.last_loaded_at,
        label_bounds.last_label_loaded_at,
        md5(
            settings.config_hash || coalesce(reference_checksums.reference_checksums, '')
        ) as settings_hash,
        seen_settings.settings_hash as seen_settings_hash,
        {{ mlmon.add_time(
            'prediction_bounds.last_predicted_at', '-' ~ var('mlmon_lookback_days'), 'day'
        ) }} as lookback_from_at
    from settings
    left join prediction_bounds
        on settings.monitor = prediction_bounds.monitor
    left join label_bounds
        on settings.monitor = label_bounds.monitor
    left join reference_checksums
        on settings.monitor = reference_checksums.monitor
    left join seen_settings
        on settings.monitor = seen_settings.monitor
),

searched as (
    select
        bounds.*,
        {{ mlmon.window_index('first_predicted_at') }} as first_window_index,
        case
            when
                {{ searches_all | string | lower }}
                or coalesce(seen_settings_hash, '') <> settings_hash
                or (
                    reference_kind = 'dates'
                    and cast(reference_to as timestamp) >= lookback_from_at
                )
                or (
                    reference_kind = 'first_days'
                    and {{ mlmon.add_time(
                        'first_predicted_at', 'reference_first_days', 'day'
                    ) }} >= lookback_from_at
                )
                or first_predicted_at >= lookback_from_at
                then {{ mlmon.window_index('first_predicted_at') }}
            else {{ mlmon.window_index('lookback_from_at') }}
        end as search_from_index
    from bounds
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
from searched
