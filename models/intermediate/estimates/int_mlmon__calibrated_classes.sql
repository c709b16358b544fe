-- One row per row of int_mlmon__class_score_rows: the probability of each class as the reference's calibration has it.
-- Each class is calibrated against the rest by itself, then all are divided by their sum; where that is 0, none is
-- likelier than another.
{%- set slots = mlmon.class_score_slots() %}

with

scored as (
    select * from {{ ref('int_mlmon__class_score_rows') }}
),

maps as (
    select * from {{ ref('int_mlmon__calibration_maps') }}
    where class_number > 0
),

-- Each score asks the map of its class for the last knot at or below it; knots and scores in one order.
asked as (
    select
        reference_key,
        class_number,
        score,
        knot_number,
        cast(null as bigint) as scored_number
    from maps
    where knot_number > 0
    {%- for slot in slots %}

    union all

    select
        reference_key,
        cast({{ loop.index }} as bigint) as class_number,
        {{ slot }} as score,
        null as knot_number,
        scored_number
    from scored
    where is_scored and n_class_scores >= {{ loop.index }}
    {%- endfor %}
),

answered as (
    select
        asked.*,
        coalesce(max(knot_number) over (
            partition by reference_key, class_number order by score
            range between unbounded preceding and current row
        ), 0) as last_knot
    from asked
),

mapped as (
    select
        answered.scored_number,
        answered.class_number,
        least(1, greatest(0, maps.probability + maps.slope * (answered.score - maps.score)))
            as probability,
        maps.n_reference
    from answered
    inner join maps
        on
            answered.reference_key = maps.reference_key
            and answered.class_number = maps.class_number
            and answered.last_knot = maps.knot_number
    where answered.scored_number is not null
),

calibrated as (
    select
        scored_number,
        max(n_reference) as n_reference,
        sum(probability) as total
        {%- for slot in slots %},
        max(case when class_number = {{ loop.index }} then probability end)
            as probability_{{ loop.index }}
        {%- endfor %}
    from mapped
    group by scored_number
)

select
    scored.scored_number,
    scored.source_key,
    scored.reference_key,
    scored.predicted_class,
    scored.predicted_number,
    scored.n,
    -- Whether the prediction counts: it has a class, and every class a probability.
    calibrated.total is not null and scored.predicted_class is not null as is_counted,
    scored.n_class_scores,
    -- Of a class without a score the reference is not asked how often it was predicted.
    coalesce(alike.n_predicted, calibrated.n_reference) as n_reference
    {%- for slot in slots %},
    case
        when calibrated.total > 0 then calibrated.probability_{{ loop.index }} / calibrated.total
        when scored.n_class_scores >= {{ loop.index }} and calibrated.total = 0
            then 1.0 / scored.n_class_scores
    end as probability_{{ loop.index }}
    {%- endfor %}
    {%- for number in range(1, mlmon.slot_counts()['segment'] + 1) %},
    scored.segment_{{ number }}
    {%- endfor %}
from scored
left join calibrated
    on scored.scored_number = calibrated.scored_number
left join maps as alike
    on
        scored.reference_key = alike.reference_key
        and scored.predicted_number = alike.class_number
        and alike.knot_number = 0
