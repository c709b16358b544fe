-- One row per side of a comparison, place and position: how many values. The reference's values number the positions:
-- the i-th has 2i - 1, and what lies between it and the next has 2i. Values between the same two of the reference
-- need no telling apart, because the reference's distribution function is the same for all. Where references move,
-- every value may belong to one and has a number of its own.
with

moving as (
    select distinct place_number
    from {{ ref('int_mlmon__rank_comparisons') }}
    where is_reference and source_number > 0
),

points as (
    select
        compared_values.*,
        case
            when compared_values.source_number < 0 or moving.place_number is not null then 1
            else 0
        end as is_reference_value
    from {{ ref('int_mlmon__compared_values') }} as compared_values
    left join moving
        on compared_values.place_number = moving.place_number
),

numbered as (
    select
        points.*,
        sum(is_reference_value) over (partition by place_number order by x)
            as n_reference_values,
        max(is_reference_value) over (partition by place_number, x) as is_at_reference_value
    from points
)

select
    source_number,
    place_number,
    cast(2 * n_reference_values - is_at_reference_value as bigint) as position,
    cast(sum(n) as bigint) as n
from numbered
group by source_number, place_number, 2 * n_reference_values - is_at_reference_value
