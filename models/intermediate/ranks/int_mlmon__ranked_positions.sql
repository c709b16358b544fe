-- One row per place of values, segment, ranked column, cell and position: how many values. The reference's values
-- number the positions: the i-th has 2i - 1, and what lies between it and the next has 2i. Values between the same two
-- of the reference need no telling apart, because the reference's distribution function is the same for all. Where
-- references move, every value may belong to one and has a number of its own.
with

points as (
    select
        compared_values.*,
        case
            when compared_values.is_reference or settings.compared_with <> 'reference' then 1
            else 0
        end as is_reference_value
    from {{ ref('int_mlmon__compared_values') }} as compared_values
    inner join {{ ref('int_mlmon__references') }} as reference_facts
        on compared_values.reference_key = reference_facts.reference_key
    inner join {{ ref('int_mlmon__settings') }} as settings
        on reference_facts.monitor = settings.monitor
),

numbered as (
    select
        points.*,
        sum(is_reference_value) over (
            partition by reference_key, segment_position, segment_value, slot_number, cell
            order by x
        ) as n_reference_values,
        max(is_reference_value) over (
            partition by reference_key, segment_position, segment_value, slot_number, cell, x
        ) as is_at_reference_value
    from points
)

select
    source_key,
    segment_position,
    segment_value,
    slot_number,
    cell,
    cast(2 * n_reference_values - is_at_reference_value as bigint) as position,
    cast(sum(n) as bigint) as n
from numbered
group by
    source_key, segment_position, segment_value, slot_number, cell,
    2 * n_reference_values - is_at_reference_value
