-- One row per successful prediction whose values profile its window: all of them, or in a window of more than
-- mlmon_profile_rows about as many, chosen by a hash of the request, which every run and warehouse chooses alike.
with

predictions as (
    select * from {{ ref('int_mlmon__touched_predictions') }}
    where is_success
),

-- Hashes are spread evenly below 2 ** 32.
touched as (
    select
        window_number,
        case
            when n_predictions > {{ var('mlmon_profile_rows') }}
                then 4294967296.0 * {{ var('mlmon_profile_rows') }} / n_predictions
        end as hash_limit
    from {{ ref('int_mlmon__touched_windows') }}
    where monitor is not null
)

select
    predictions.window_number,
    predictions.prediction_class,
    predictions.prediction_value,
    predictions.score
    {%- for slot in mlmon.slot_names() if not slot.startswith('segment') %},
    predictions.{{ slot }}
    {%- endfor %}
from predictions
inner join touched
    on predictions.window_number = touched.window_number
where
    case
        when touched.hash_limit is null then true
        else {{ mlmon.portable_checksum(['predictions.request_id']) }} < touched.hash_limit
    end
