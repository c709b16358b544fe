-- One row per window and sampled prediction: its features. Joint drift needs rows, which cannot be
-- summed over windows. A row is chosen where the hash of its request is below cut_hash, so that the
-- rows of several windows below their smallest cut are an even sample of all of them together.
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

stale as (
    select
        stale.window_number,
        stale.window_key,
        stale.monitor,
        stale.model_version,
        stale.window_index,
        settings.multivariate_rows
    from {{ ref('int_mlmon__stale_windows') }} as stale
    inner join {{ ref('int_mlmon__settings') }} as settings
        on
            stale.facts = 'predictions'
            and stale.monitor = settings.monitor
    where settings.multivariate_rows is not null
),

hashed as (
    select
        stale.window_key,
        stale.monitor,
        stale.model_version,
        stale.window_index,
        {{ mlmon.portable_checksum(['predictions.request_id']) }} as sample_hash,
        {{ mlmon.sample_cut('predictions.n_in_window', 'stale.multivariate_rows') }} as cut_hash
        {%- for slot in mlmon.slot_names() if not slot.startswith('segment') %},
        predictions.{{ slot }}
        {%- endfor %}
    from predictions
    inner join stale
        on predictions.window_number = stale.window_number
)

select * from hashed
where sample_hash < cut_hash
