-- One row per request that two versions scored and that has a label at the horizon, and version of
-- the two: its prediction, the other's, and the label that counts for the first. Versions are
-- compared with it on the same requests. A row belongs to the windows of both versions and is
-- replaced when either changes: the strategy deletes by the one, the hook by the other. Should a
-- run fail between the two, the window is still recorded as stale, and the next run makes the rows
-- again.
{{ config(
    enabled=mlmon.is_asked_for('common_traffic'),
    materialized='incremental',
    incremental_strategy='mlmon_windows',
    unique_key='window_key',
    on_schema_change='append_new_columns',
    meta={'stale': 'labels', 'has_other_windows': true},
    pre_hook="{% if is_incremental() and not flags.EMPTY and flags.WHICH != 'clone' %}delete from {{ this }} where other_window_key in (select window_key from {{ mlmon.stale_rows('labels') }}){% endif %}",
    post_hook="{{ mlmon.record_windows('labels') }}",
) }}

with

several_versions as (
    select monitor
    from ({{ mlmon.versions() }}) as versions
    where {{ mlmon.is_of_area('common_traffic') }}
    group by monitor
    having count(*) > 1
),

stale as (
    select stale.*
    from {{ ref('int_mlmon__stale_windows') }} as stale
    inner join several_versions
        on
            stale.facts = 'labels'
            and stale.monitor = several_versions.monitor
),

stale_requests as (
    select distinct
        predictions.monitor,
        predictions.request_id
    from {{ ref('int_mlmon__labelled_predictions') }} as predictions
    inner join stale
        on predictions.window_key = stale.window_key
),

label_ages as (
    {{ mlmon.label_age_settings() }}
),

candidates as (
    select
        predictions.*,
        stale.window_key is not null as is_stale,
        {{ mlmon.counts_at_age('predictions', 'label_ages.label_age_days') }} as has_label
    from {{ ref('int_mlmon__labelled_predictions') }} as predictions
    inner join stale_requests
        on
            predictions.monitor = stale_requests.monitor
            and predictions.request_id = stale_requests.request_id
    inner join label_ages
        on
            predictions.monitor = label_ages.monitor
            and label_ages.is_horizon
    left join stale
        on predictions.window_key = stale.window_key
)

select
    ours.window_key,
    theirs.window_key as other_window_key,
    ours.monitor,
    ours.model_version,
    theirs.model_version as other_version,
    cast(ours.window_index as bigint) as window_index,
    ours.request_id,
    ours.prediction_class,
    ours.prediction_value,
    ours.score,
    theirs.prediction_class as other_prediction_class,
    theirs.prediction_value as other_prediction_value,
    theirs.score as other_score,
    ours.label_class,
    ours.label_value
from candidates as ours
inner join candidates as theirs
    on
        ours.monitor = theirs.monitor
        and ours.request_id = theirs.request_id
        and ours.model_version <> theirs.model_version
        -- Each prediction once: of its labels, the one without a successor.
        and theirs.valid_to_microseconds is null
where
    ours.has_label
    and (ours.is_stale or theirs.is_stale)
