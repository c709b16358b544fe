-- One row per window, window of another version that scored some of the same requests, label and pair of scores, of binary
-- monitors: how many such requests. What ranks them does not merge, and is computed from it over whole spans.
{{ config(
    materialized='incremental',
    incremental_strategy='mlmon_windows',
    unique_key='window_key',
    on_schema_change='append_new_columns',
    meta={'stale': 'labels'},
    pre_hook="{{ mlmon.forget_other_windows() }}",
    post_hook="{{ mlmon.record_windows('labels') }}",
) }}

with

common as (
    select predictions.*
    from {{ ref('int_mlmon__common_predictions') }} as predictions
    inner join {{ ref('int_mlmon__settings') }} as settings
        on
            predictions.monitor = settings.monitor
            and settings.has_score
    where
        predictions.score is not null
        and predictions.other_score is not null
        and predictions.label_class is not null
)

select
    window_key,
    other_window_key,
    monitor,
    model_version,
    other_version,
    cast(window_index as bigint) as window_index,
    label_class = '1' as is_positive,
    score,
    other_score,
    cast(count(*) as bigint) as n
from common
group by
    window_key, other_window_key, monitor, model_version, other_version, window_index,
    label_class, score, other_score
