-- One row per row of a reference table that has a label: what baselines are computed from. A reference that is a
-- stretch of the log has its rows in int_mlmon__labelled_predictions.
{{ config(
    materialized='incremental',
    incremental_strategy='mlmon_windows',
    unique_key='reference_key',
    on_schema_change='append_new_columns',
    meta={'stale': 'references'},
    post_hook="{{ mlmon.record_windows('references') }}",
) }}

select
    logged.reference_key,
    logged.prediction_class,
    logged.prediction_value,
    logged.score,
    logged.label_class,
    logged.label_value
    {{- mlmon.class_scores_of('logged') }}
    {%- for number in range(1, mlmon.slot_counts()['segment'] + 1) %},
    {{ mlmon.resolved_segment(
        'logged.segment_' ~ number, 'segment_' ~ number ~ '_values'
    ) }} as segment_{{ number }}
    {%- endfor %}
from {{ ref('int_mlmon__stale_reference_rows') }} as logged
{%- for number in range(1, mlmon.slot_counts()['segment'] + 1) %}
left join {{ ref('int_mlmon__slot_segments') }} as segment_{{ number }}_values
    on
        logged.edge_set_number = segment_{{ number }}_values.edge_set_number
        and segment_{{ number }}_values.slot = 'segment_{{ number }}'
        and logged.segment_{{ number }} = segment_{{ number }}_values.segment_value
{%- endfor %}
where logged.label_class is not null or logged.label_value is not null
