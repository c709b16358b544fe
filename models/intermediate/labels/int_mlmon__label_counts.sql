-- One row per window and label bin: how many predictions have such a label at the horizon. Merges over windows by
-- sum; label drift is computed from it.
{{ config(
    materialized='incremental',
    incremental_strategy='mlmon_windows',
    unique_key='window_key',
    on_schema_change='append_new_columns',
    meta={'stale': 'labels'},
    post_hook="{{ mlmon.record_windows('labels') }}",
) }}

with

touched as (
    select * from {{ ref('int_mlmon__stale_windows') }}
    where facts = 'labels' and monitor is not null and not is_reference
),

labels as (
    select * from {{ ref('int_mlmon__horizon_labels') }}
)

select
    touched.window_key,
    touched.monitor,
    touched.model_version,
    touched.window_index,
    labels.label_spec_id,
    labels.label_bin,
    cast(count(*) as bigint) as n
from labels
inner join touched
    on labels.window_key = touched.window_key
group by
    touched.window_key, touched.monitor, touched.model_version, touched.window_index,
    labels.label_spec_id, labels.label_bin
