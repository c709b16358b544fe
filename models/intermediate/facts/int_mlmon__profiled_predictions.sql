-- One row per successful prediction whose values profile its window: all of them, or in a window of more than
-- mlmon_profile_rows about as many, chosen by a hash of the request, which every run and warehouse chooses alike.
with

predictions as (
    select * from {{ ref('int_mlmon__touched_predictions') }}
    where is_success
)

select
    predictions.window_number,
    predictions.n_in_window,
    predictions.request_id,
    predictions.prediction_class,
    predictions.prediction_value,
    predictions.score
    {%- for slot in mlmon.slot_names() if not slot.startswith('segment') %},
    predictions.{{ slot }}
    {%- endfor %}
from predictions
where
    case
        when n_in_window <= {{ var('mlmon_profile_rows') }} then true
        -- Hashes are spread evenly below 2 ** 32.
        else
            {{ mlmon.portable_checksum(['request_id']) }}
            < 4294967296.0 * {{ var('mlmon_profile_rows') }} / n_in_window
    end
