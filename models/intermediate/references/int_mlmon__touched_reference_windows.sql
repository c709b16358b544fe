-- One row per touched reference and base window in which it has rows, numbered for this run; window_index is -1 for
-- rows without a time.
with

reference_windows as (
    select distinct
        reference_key,
        window_index
    from {{ ref('int_mlmon__touched_reference_rows') }}
)

select
    row_number() over (
        order by reference_windows.reference_key, reference_windows.window_index
    ) as reference_window,
    reference_windows.reference_key,
    reference_windows.window_index,
    reference_facts.monitor
from reference_windows
inner join {{ ref('int_mlmon__references') }} as reference_facts
    on reference_windows.reference_key = reference_facts.reference_key
