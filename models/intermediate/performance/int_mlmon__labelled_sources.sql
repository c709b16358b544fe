-- One row per labelled prediction of the log or a reference table, by the window or reference it belongs to: what
-- does not merge is computed from the rows themselves.
{{ config(materialized='view') }}

select
    window_key as source_key,
    prediction_class,
    prediction_value,
    score,
    label_class,
    label_value,
    valid_from_microseconds,
    valid_to_microseconds
    {{- mlmon.class_scores_of('labelled') }}
    {%- for number in range(1, mlmon.slot_counts()['segment'] + 1) %},
    segment_{{ number }}
    {%- endfor %}
from {{ ref('int_mlmon__labelled_predictions') }} as labelled

union all

select
    reference_key as source_key,
    prediction_class,
    prediction_value,
    score,
    label_class,
    label_value,
    cast(0 as bigint) as valid_from_microseconds,
    cast(null as bigint) as valid_to_microseconds
    {{- mlmon.class_scores_of('logged') }}
    {%- for number in range(1, mlmon.slot_counts()['segment'] + 1) %},
    segment_{{ number }}
    {%- endfor %}
from {{ ref('int_mlmon__reference_labelled') }} as logged
