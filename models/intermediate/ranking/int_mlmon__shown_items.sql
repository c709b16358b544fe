-- One row per item shown by a ranking monitor in a window that this run recomputes, or of a reference table of one, with
-- a label or not.
{{ config(materialized='view') }}

with

touched as (
    select * from {{ ref('int_mlmon__stale_windows') }}
    where facts = 'labels' and {{ mlmon.is_of_ranking('monitor') }}
)

select
    touched.window_key,
    touched.monitor,
    logged.query_id,
    logged.item_id,
    logged.request_id,
    {{ mlmon.nan_to_null('logged.score') }} as score
    {%- for number in range(1, mlmon.slot_counts()['segment'] + 1) %},
    {{ mlmon.resolved_segment(
        'logged.segment_' ~ number, 'segment_' ~ number ~ '_values'
    ) }} as segment_{{ number }}
    {%- endfor %}
from {{ ref('int_mlmon__resolved_predictions') }} as logged
inner join touched
    on
        logged.monitor = touched.monitor
        and logged.model_version = touched.model_version
        and logged.window_index = touched.window_index
{%- for number in range(1, mlmon.slot_counts()['segment'] + 1) %}
left join {{ ref('int_mlmon__slot_segments') }} as segment_{{ number }}_values
    on
        touched.edge_set_number = segment_{{ number }}_values.edge_set_number
        and segment_{{ number }}_values.slot = 'segment_{{ number }}'
        and logged.segment_{{ number }} = segment_{{ number }}_values.segment_value
{%- endfor %}
where
    {{ mlmon.is_of_ranking('logged.monitor') }}
    and logged.is_counting
    and logged.is_success

union all

select
    touched.window_key,
    touched.monitor,
    logged.query_id,
    logged.item_id,
    logged.request_id,
    logged.score
    {%- for number in range(1, mlmon.slot_counts()['segment'] + 1) %},
    logged.segment_{{ number }}
    {%- endfor %}
from {{ ref('int_mlmon__reference_items') }} as logged
inner join touched
    on
        logged.reference_key = touched.reference_key
        and touched.is_reference
