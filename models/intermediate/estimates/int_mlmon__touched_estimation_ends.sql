-- One row per window end whose estimates are out of date, or that is gone (fingerprint NULL).
with

ends as (
    select * from {{ ref('int_mlmon__estimation_ends') }}
),

stale as (
    {{ mlmon.stale_windows(
        'ends',
        ['int_mlmon__estimated_values']
        + (['int_mlmon__estimated_errors'] if mlmon.estimates_errors() else [])
    ) }}
)

select
    stale.window_key,
    stale.fingerprint,
    ends.reference_key
from stale
left join ends
    on stale.window_key = ends.window_key
