-- One row per mature window or labelled reference table, feature, bin of the feature and bin of the
-- label at the horizon: how many predictions, and the sums that correlations are made of. Every
-- association with the label is computed from it; it merges over windows by sum.
{{ config(
    enabled=mlmon.is_asked_for('association'),
    materialized='incremental',
    incremental_strategy='mlmon_windows',
    unique_key='window_key',
    on_schema_change='append_new_columns',
    meta={'stale': 'mature_labels'},
    post_hook="{{ mlmon.record_windows('mature_labels') }}",
) }}
{%- set features = mlmon.feature_slot_names() %}

with

stale as (
    select * from {{ ref('int_mlmon__stale_windows') }}
    where facts = 'mature_labels' and {{ mlmon.is_of_area('association') }}
),

settings as (
    {{ mlmon.label_settings() }}
),

columns as (
    select * from {{ ref('int_mlmon__column_settings') }}
),

labels as (
    select
        stale.window_key,
        stale.reference_key,
        stale.edge_set_number,
        settings.label_kind,
        labelled.label_class,
        labelled.label_value
        {%- for slot in features %},
        predictions.{{ slot }}
        {%- endfor %}
    from {{ ref('int_mlmon__labelled_predictions') }} as labelled
    inner join stale
        on labelled.window_key = stale.window_key
    inner join settings
        on
            labelled.monitor = settings.monitor
            and {{ mlmon.counts_at_age('labelled', 'settings.label_horizon_days') }}
    inner join {{ ref('int_mlmon__resolved_predictions') }} as predictions
        on
            labelled.monitor = predictions.monitor
            and labelled.model_version = predictions.model_version
            and labelled.window_index = predictions.window_index
            and labelled.request_id = predictions.request_id
            and predictions.is_counting
            and predictions.is_success

    union all

    select
        stale.window_key,
        stale.reference_key,
        stale.edge_set_number,
        settings.label_kind,
        logged.label_class,
        {{ mlmon.nan_to_null('logged.label_value') }} as label_value
        {%- for slot in features %},
        logged.{{ slot }}
        {%- endfor %}
    from {{ ref('stg_mlmon__references') }} as logged
    inner join stale
        on
            logged.monitor = stale.monitor
            and logged.reference_version = stale.reference_version
            and coalesce({{ mlmon.window_index('logged.predicted_at', 'logged.monitor') }}, -1)
            = stale.window_index
    inner join settings
        on logged.monitor = settings.monitor
),

-- Without a reference, numbers have one bin.
labelled_features as (
    select
        labels.window_key,
        labels.edge_set_number,
        coalesce({{ mlmon.label_bin('labels', 'edges') }}, '0') as label_bin,
        {{ mlmon.label_y('labels', 'edges') }} as y,
        labels.label_kind = 'categorical'
        or {{ mlmon.label_y('labels', 'edges') }} is not null as has_pair
        {%- for slot in features %},
        {{ mlmon.nan_to_null('labels.' ~ slot) if slot.startswith('numeric')
            else 'labels.' ~ slot }} as {{ slot }}
        {%- endfor %}
    from labels
    left join {{ ref('int_mlmon__slot_edges') }} as edges
        on
            labels.reference_key = edges.reference_key
            and edges.slot = 'label_value'
    where
        (labels.label_kind = 'categorical' and labels.label_class is not null)
        or (labels.label_kind = 'numeric' and labels.label_value is not null)
),

counted as (
    {{ mlmon.count_label_bins('labelled_features', 'window_key', 'stale') }}
)

select
    stale.window_key,
    stale.monitor,
    stale.model_version,
    stale.window_index,
    columns.column_name,
    counted.bin_index,
    counted.label_bin,
    counted.n,
    counted.n_missing,
    counted.n_paired,
    counted.{{ mlmon.pair_sums() | join(',\n    counted.') }}
from counted
inner join stale
    on counted.window_key = stale.window_key
inner join columns
    on
        stale.monitor = columns.monitor
        and counted.slot = columns.slot
