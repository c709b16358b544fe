-- One row per touched reference and span that fits into it at least eight times: how often, counted back from its
-- last window. Segments are cut at the longest of the spans, at which they are judged.
with

touched as (
    select reference_facts.*
    from {{ ref('int_mlmon__touched_references') }} as touched
    inner join {{ ref('int_mlmon__references') }} as reference_facts
        on touched.window_key = reference_facts.reference_key
),

spans as (
    {{ mlmon.span_settings() }}
),

lengths as (
    select
        touched.reference_key,
        touched.monitor,
        touched.last_index,
        touched.last_index - touched.first_index + 1 as n_windows,
        spans.span_windows
    from touched
    inner join spans
        on touched.monitor = spans.monitor
    where touched.last_index - touched.first_index + 1 >= 8 * spans.span_windows
)

select
    reference_key,
    monitor,
    last_index,
    span_windows,
    (n_windows - mod(n_windows, span_windows)) / span_windows as n_stretches,
    span_windows = max(span_windows) over (partition by reference_key) as is_longest
from lengths
