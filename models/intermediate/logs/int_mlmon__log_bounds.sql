-- One row per monitor: what stretch of its logs there is, and from where on this run looks for changes: the
-- lookback back from the newest plausible event, and further to the oldest window that some fact has not been
-- computed for, and to the beginning of a reference in the log that may still change.
{%- set searches_all = flags.FULL_REFRESH or var('mlmon_lookback_days') == 0 %}

with

extents as (
    select * from {{ ref('int_mlmon__log_extents') }}
),

prediction_bounds as (
    select
        monitor,
        min(first_predicted_at) as first_predicted_at,
        max(last_predicted_at) as last_predicted_at,
        max(last_loaded_at) as last_loaded_at
    from extents
    group by monitor
),

label_bounds as (
    select
        monitor,
        max(loaded_at) as last_label_loaded_at
    from {{ ref('int_mlmon__label_log') }}
    where quarantine_reason is null and has_label
    group by monitor
),

looked_back as (
    select
        settings.monitor,
        settings.reference_kind,
        settings.reference_to,
        settings.reference_first_days,
        settings.compared_version,
        settings.close_after_minutes,
        progress.settings_hash,
        prediction_bounds.first_predicted_at,
        prediction_bounds.last_predicted_at,
        prediction_bounds.last_loaded_at,
        label_bounds.last_label_loaded_at,
        case
            when {{ searches_all | string | lower }} or progress.newest_known_at is null
                then prediction_bounds.first_predicted_at
            else least(
                {{ mlmon.add_time(
                    'prediction_bounds.last_predicted_at',
                    '-' ~ var('mlmon_lookback_days'), 'day'
                ) }},
                progress.newest_known_at,
                coalesce(progress.oldest_undone_at, progress.newest_known_at)
            )
        end as look_from_at
    from {{ ref('int_mlmon__settings') }} as settings
    inner join {{ ref('int_mlmon__progress') }} as progress
        on settings.monitor = progress.monitor
    left join prediction_bounds
        on settings.monitor = prediction_bounds.monitor
    left join label_bounds
        on settings.monitor = label_bounds.monitor
),

-- Two days more than the reference has, for local days and their clock changes. All that is compared with the
-- reference is recomputed when it changes: the whole monitor, or for first_days of each version the version.
changing_references as (
    select
        looked_back.monitor,
        min(
            case
                when looked_back.compared_version is null then extents.first_predicted_at
                else looked_back.first_predicted_at
            end
        ) as look_from_at
    from looked_back
    inner join extents
        on looked_back.monitor = extents.monitor
    where
        (
            looked_back.reference_kind = 'dates'
            and {{ mlmon.add_time('cast(looked_back.reference_to as timestamp)', 2, 'day') }}
            >= looked_back.look_from_at
        )
        or (
            looked_back.reference_kind = 'first_days'
            and extents.model_version
            = coalesce(looked_back.compared_version, extents.model_version)
            and {{ mlmon.add_time(
                mlmon.add_time(
                    'extents.first_predicted_at', '(looked_back.reference_first_days + 2)', 'day'
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
