-- One row per window and sampled prediction: its features, for what cannot be summed over windows. Chosen by the hash
-- of the request below cut_hash, so that the rows of several windows below their smallest cut are an even sample
-- of all of them together.
{{ config(
    enabled=mlmon.measures_joint_drift(),
    materialized='incremental',
    incremental_strategy='mlmon_windows',
    unique_key='window_key',
    on_schema_change='append_new_columns',
    meta={'stale': 'predictions'},
    post_hook="{{ mlmon.record_windows('predictions') }}",
) }}

with

predictions as (
    select * from {{ ref('int_mlmon__stale_predictions') }}
    where is_success and is_profiled
),

touched as (
    select
        touched.window_number,
        touched.window_key,
        touched.monitor,
        touched.model_version,
        touched.window_index,
        settings.multivariate_rows
    from {{ ref('int_mlmon__stale_windows') }} as touched
    inner join {{ ref('int_mlmon__settings') }} as settings
        on
            touched.facts = 'predictions'
            and touched.monitor = settings.monitor
    where settings.multivariate_rows is not null
),

hashed as (
    select
        touched.window_key,
        touched.monitor,
        touched.model_version,
        touched.window_index,
        {{ mlmon.portable_checksum(['predictions.request_id']) }} as sample_hash,
        {{ mlmon.sample_cut('predictions.n_in_window', 'touched.multivariate_rows') }} as cut_hash
        {%- for slot in mlmon.slot_names() if not slot.startswith('segment') %},
        predictions.{{ slot }}
        {%- endfor %}
    from predictions
    inner join touched
        on predictions.window_number = touched.window_number
)

select * from hashed
where sample_hash < cut_hash
