-- One row per mature window, feature, bin of the feature and bin of the label at the horizon: how many predictions,
-- and the sums that correlations are made of. Merges over windows; every association with the label comes from it.
{{ config(
    materialized='incremental',
    incremental_strategy='mlmon_windows',
    unique_key='window_key',
    on_schema_change='append_new_columns',
    meta={'stale': 'mature_labels'},
    post_hook="{{ mlmon.record_windows('mature_labels') }}",
) }}

with

touched as (
    select * from {{ ref('int_mlmon__stale_windows') }}
    where facts = 'mature_labels' and monitor is not null
),

labels as (
    select * from {{ ref('int_mlmon__horizon_labels') }}
),

settings as (
    {{ mlmon.label_settings() }}
),

columns as (
    select * from {{ ref('int_mlmon__column_settings') }}
),

labelled_features as (
    select
        labels.window_key,
        labels.edge_set_number,
        labels.label_bin,
        labels.y,
        settings.label_kind = 'categorical' or labels.y is not null as has_pair
        {%- for slot in mlmon.feature_slot_names() %},
        {{ mlmon.nan_to_null('predictions.' ~ slot) if slot.startswith('numeric')
            else 'predictions.' ~ slot }} as {{ slot }}
        {%- endfor %}
    from labels
    inner join settings
        on labels.monitor = settings.monitor
    inner join touched
        on labels.window_key = touched.window_key
    inner join {{ ref('int_mlmon__resolved_predictions') }} as predictions
        on
            labels.monitor = predictions.monitor
            and labels.model_version = predictions.model_version
            and labels.window_index = predictions.window_index
            and labels.request_id = predictions.request_id
    where predictions.is_counting and predictions.is_success
),

counted as (
    {{ mlmon.count_label_bins('labelled_features', 'window_key', 'touched') }}
)

select
    touched.window_key,
    touched.monitor,
    touched.model_version,
    touched.window_index,
    columns.column_name,
    counted.bin_index,
    counted.label_bin,
    counted.n,
    counted.n_missing,
    counted.n_paired,
    counted.{{ mlmon.pair_sums() | join(',\n    counted.') }}
from counted
inner join touched
    on counted.window_key = touched.window_key
inner join columns
    on
        touched.monitor = columns.monitor
        and counted.slot = columns.slot
