-- One row per touched window end at its verdict span that has a reference, numbered for this run.
with

spans as (
    select * from {{ ref('int_mlmon__spans') }}
    where is_verdict and reference_key is not null
),

touched as (
    select * from {{ ref('int_mlmon__touched_verdict_windows') }}
)

select
    row_number() over (order by spans.window_key) as end_number,
    spans.window_key,
    spans.monitor,
    spans.model_version,
    spans.span_windows,
    spans.reference_key,
    spans.compared_with,
    spans.window_index,
    spans.first_index,
    spans.compared_version,
    spans.compared_first_index,
    spans.compared_last_index
from spans
inner join touched
    on spans.window_key = touched.window_key
