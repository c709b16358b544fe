-- One row per stretch of a binary monitor, segment and label age by its number: what ranking its scores comes to, summed in one pass
-- over them.
{%- set numbers = mlmon.label_age_numbers() %}

with

counts as (
    select * from {{ ref('int_mlmon__stretch_scores') }}
),

-- By falling score: the labels from a score on.
cumulated as (
    select
        counts.*
        {%- for number in numbers %},
        cast(sum(n_positive_{{ number }}) over falling as {{ mlmon.type_double() }})
            as true_positives_{{ number }},
        cast(sum(n_negative_{{ number }}) over falling as {{ mlmon.type_double() }})
            as false_positives_{{ number }}
        {%- endfor %}
    from counts
    window falling as (
        partition by stretch_number, segment_position, segment_value
        order by score desc nulls last
        rows between unbounded preceding and current row
    )
),

-- Those at the score itself count half among the labels above it.
summed as (
    select
        stretch_number,
        segment_position,
        segment_value
        {%- for number in numbers %}
        {%- set above = '(false_positives_%s - 0.5 * n_negative_%s)' % (number, number) %}
        {%- set beyond = '(true_positives_%s - 0.5 * n_positive_%s)' % (number, number) %},
        sum(n_positive_{{ number }}) as n_positive_{{ number }},
        sum(n_negative_{{ number }}) as n_negative_{{ number }},
        sum(n_excluded_{{ number }}) as n_excluded_{{ number }},
        sum(n_positive_{{ number }} * {{ above }}) as negatives_above_{{ number }},
        sum(n_positive_{{ number }} * {{ above }} * {{ above }})
            as negatives_above_squares_{{ number }},
        sum(n_negative_{{ number }} * {{ beyond }} * {{ beyond }})
            as positives_above_squares_{{ number }},
        sum(
            n_positive_{{ number }} * true_positives_{{ number }}
            / nullif(true_positives_{{ number }} + false_positives_{{ number }}, 0)
        ) as precision_sum_{{ number }}
        {%- endfor %}
    from cumulated
    group by stretch_number, segment_position, segment_value
)

{%- for number in numbers %}
{%- if not loop.first %}

union all
{% endif %}

select
    stretch_number,
    segment_position,
    segment_value,
    {{ number }} as age_number
    {%- for sum_name in [
        'n_positive', 'n_negative', 'n_excluded', 'negatives_above', 'negatives_above_squares',
        'positives_above_squares', 'precision_sum',
    ] %},
    cast({{ sum_name }}_{{ number }} as {{ mlmon.type_double() }}) as {{ sum_name }}
    {%- endfor %}
from summed
where n_positive_{{ number }} + n_negative_{{ number }} + n_excluded_{{ number }} > 0
{%- endfor %}
