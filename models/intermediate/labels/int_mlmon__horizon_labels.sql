-- One row per counting prediction with the label that counts for it at the monitor's horizon: the label's bin (its
-- class, or the number of its bin) and, of numbers, its standardised value. What drifts and is associated.
{{ config(materialized='view') }}

with

settings as (
    {{ mlmon.label_settings() }}
),

versions as (
    select * from {{ ref('int_mlmon__versions') }}
),

edges as (
    select * from {{ ref('int_mlmon__label_slot_edges') }}
),

labelled as (
    select
        labelled.window_key,
        labelled.monitor,
        labelled.model_version,
        labelled.window_index,
        labelled.request_id,
        labelled.label_class,
        labelled.label_value,
        settings.label_kind,
        versions.edge_set_number
    from {{ ref('int_mlmon__labelled_predictions') }} as labelled
    inner join settings
        on labelled.monitor = settings.monitor
    inner join versions
        on
            labelled.monitor = versions.monitor
            and labelled.model_version = versions.model_version
    where
        labelled.valid_from_microseconds <= settings.label_horizon_days * 86400000000
        and coalesce(
            labelled.valid_to_microseconds > settings.label_horizon_days * 86400000000,
            true
        )
)

select
    labelled.window_key,
    labelled.monitor,
    labelled.model_version,
    labelled.window_index,
    labelled.request_id,
    labelled.edge_set_number,
    case
        when labelled.label_kind = 'categorical' then 'class'
        else edges.bin_spec_id
    end as label_spec_id,
    {{ mlmon.label_bin('labelled', 'edges') }} as label_bin,
    {{ mlmon.label_y('labelled', 'edges') }} as y
from labelled
left join edges
    on labelled.edge_set_number = edges.edge_set_number
where labelled.label_class is not null or labelled.label_value is not null
