-- One row per window and window of another version that scored some of the same requests, of regression monitors: both
-- versions' mean errors on them, and the squared deviations of the paired differences, about their mean, so that they
-- merge over windows without loss. Missing and infinite values, and those beyond 1e70, are left out.
{{ config(
    materialized='incremental',
    incremental_strategy='mlmon_windows',
    unique_key='window_key',
    on_schema_change='append_new_columns',
    meta={'touched': 'int_mlmon__touched_label_windows'},
    pre_hook="{{ mlmon.forget_other_windows() }}",
    post_hook="{{ mlmon.record_windows(ref('mlmon', 'int_mlmon__touched_label_windows')) }}",
) }}

with

common as (
    select predictions.*
    from {{ ref('int_mlmon__common_predictions') }} as predictions
    inner join {{ ref('int_mlmon__settings') }} as settings
        on
            predictions.monitor = settings.monitor
            and settings.task = 'regression'
    where
        abs(predictions.prediction_value) < 1e70
        and abs(predictions.other_prediction_value) < 1e70
        and abs(predictions.label_value) < 1e70
),

errors as (
    select
        common.*,
        {{ mlmon.without_underflow('prediction_value - label_value') }} as error,
        {{ mlmon.without_underflow('other_prediction_value - label_value') }} as other_error
    from common
)

select
    window_key,
    other_window_key,
    monitor,
    model_version,
    other_version,
    cast(window_index as bigint) as window_index,
    cast(count(*) as bigint) as n
    {%- for metric, term in {
        'mae': 'abs({})', 'mse': '{0} * {0}', 'bias': '{}',
    }.items() %}
    {%- set ours, theirs = term.format('error'), term.format('other_error') %},
    avg({{ ours }}) as {{ metric }},
    avg({{ theirs }}) as other_{{ metric }},
    avg({{ ours }} - {{ theirs }}) as {{ metric }}_difference,
    count(*) * var_pop({{ ours }} - {{ theirs }}) as {{ metric }}_squares
    {%- endfor %}
from errors
group by
    window_key, other_window_key, monitor, model_version, other_version, window_index
