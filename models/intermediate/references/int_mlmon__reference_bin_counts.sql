-- One row per reference, segment, monitored column and bin: how many rows of the reference.
with

window_counts as (
    select * from {{ ref('int_mlmon__reference_window_counts') }}
)

select
    reference_key,
    monitor,
    segment_name,
    segment_value,
    column_name,
    column_role,
    column_kind,
    bin_index,
    cast(sum(n) as bigint) as n,
    cast(sum(n_finite) as bigint) as n_finite
    {%- for count in mlmon.odd_counts() %},
    cast(sum({{ count }}) as bigint) as {{ count }}
    {%- endfor %}
from window_counts
group by
    reference_key,
    monitor,
    segment_name,
    segment_value,
    column_name,
    column_role,
    column_kind,
    bin_index
