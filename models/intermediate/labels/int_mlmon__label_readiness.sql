-- One row per monitor with labels, version, closed window end and span: whether what its labels say
-- at the horizon can be judged. Label drift and associations are judged only where it is ready.
-- readiness: ready, immature (not all of them can have come) or labels_late (fewer came than
-- usual).
{{ config(materialized='view') }}

with

spans as (
    select * from {{ ref('int_mlmon__spans') }}
),

settings as (
    {{ mlmon.label_settings() }}
),

covered as (
    select * from {{ ref('int_mlmon__span_coverage') }}
    where is_horizon and segment_name = 'all'
)

select
    spans.window_key,
    spans.span_windows,
    settings.label_age,
    settings.label_kind,
    settings.smoothing,
    covered.label_coverage,
    covered.expected_label_coverage,
    case
        when not covered.is_mature then 'immature'
        when {{ mlmon.are_labels_late('covered') }} then 'labels_late'
        else 'ready'
    end as readiness
from spans
inner join settings
    on spans.monitor = settings.monitor
inner join covered
    on
        spans.monitor_key = covered.monitor_key
        and spans.window_index = covered.window_index
        and spans.span_windows = covered.span_windows
