-- One row per window, window of another version that scored some of the same requests, label class and both predicted
-- classes: how many such requests. Of multiclass monitors only whether each was right. Merges over windows by sum;
-- versions are compared on it. Held from the side of each version, so that no order of versions is stored.
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
    select
        predictions.*,
        settings.task = 'multiclass' as is_multiclass
    from {{ ref('int_mlmon__common_predictions') }} as predictions
    inner join {{ ref('int_mlmon__settings') }} as settings
        on
            predictions.monitor = settings.monitor
            and settings.task in ('binary', 'multiclass')
    where
        predictions.prediction_class is not null
        and predictions.other_prediction_class is not null
        and predictions.label_class is not null
),

classed as (
    select
        window_key,
        other_window_key,
        monitor,
        model_version,
        other_version,
        window_index,
        case when is_multiclass then 'right' else label_class end as label_class,
        {%- for side in ['', 'other_'] %}
        case
            when not is_multiclass then {{ side }}prediction_class
            when {{ side }}prediction_class = label_class then 'right'
            else 'wrong'
        end as {{ side }}predicted_class{{ ',' if not loop.last }}
        {%- endfor %}
    from common
)

select
    window_key,
    other_window_key,
    monitor,
    model_version,
    other_version,
    cast(window_index as bigint) as window_index,
    cast(label_class as {{ dbt.type_string() }}) as label_class,
    cast(predicted_class as {{ dbt.type_string() }}) as predicted_class,
    cast(other_predicted_class as {{ dbt.type_string() }}) as other_predicted_class,
    cast(count(*) as bigint) as n
from classed
group by
    window_key, other_window_key, monitor, model_version, other_version, window_index,
    label_class, predicted_class, other_predicted_class
