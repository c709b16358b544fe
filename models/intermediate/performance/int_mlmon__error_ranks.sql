-- One row per stretch of a regression monitor, segment and label age by its number: the median absolute error and the order
-- statistics around it, from one pass over the sorted errors.
{%- set numbers = mlmon.label_age_numbers() %}

with

errors as (
    select * from {{ ref('int_mlmon__stretch_errors') }}
),

ranked as (
    select
        errors.*
        {%- for number in numbers %},
        case
            when counts_{{ number }}
                then sum(case when counts_{{ number }} then 1 else 0 end) over rising
        end as rank_{{ number }}
        {%- endfor %}
    from errors
    where error is not null
    window rising as (
        partition by stretch_number, segment_position, segment_value
        order by error
        rows between unbounded preceding and current row
    )
),

sizes as (
    select
        stretch_number,
        segment_position,
        segment_value
        {%- for number in numbers %},
        count(case when counts_{{ number }} then error end) as n_{{ number }},
        count(case when counts_{{ number }} and error is null then 1 end) as n_excluded_{{ number }}
        {%- endfor %}
    from errors
    group by stretch_number, segment_position, segment_value
),

medians as (
    select
        sizes.stretch_number,
        sizes.segment_position,
        sizes.segment_value
        {%- for number in numbers %},
        max(sizes.n_{{ number }}) as n_{{ number }},
        max(sizes.n_excluded_{{ number }}) as n_excluded_{{ number }}
        {%- set n, rank = 'sizes.n_%s' % number, 'ranked.rank_%s' % number %}
        {%- for name, aggregate, condition in [
            ('value', 'avg', '2 * ' ~ rank ~ ' between ' ~ n ~ ' and ' ~ n ~ ' + 2'),
            ('value_low', 'max', rank ~ ' = floor(0.5 * ' ~ n ~ ' - 0.979981992270027 * sqrt(' ~ n ~ '))'),
            ('value_high', 'max', rank ~ ' = ceil(1 + 0.5 * ' ~ n ~ ' + 0.979981992270027 * sqrt(' ~ n ~ '))'),
        ] %},
        {{ aggregate }}(case when {{ condition }} then ranked.error end) as {{ name }}_{{ number }}
        {%- endfor %}
        {%- endfor %}
    from sizes
    left join ranked
        on
            sizes.stretch_number = ranked.stretch_number
            and sizes.segment_position = ranked.segment_position
            and sizes.segment_value = ranked.segment_value
    group by sizes.stretch_number, sizes.segment_position, sizes.segment_value
)

{%- for number in numbers %}
{%- if not loop.first %}

union all
{% endif %}

select
    stretch_number,
    segment_position,
    segment_value,
    {{ number }} as age_number,
    n_{{ number }} as n,
    n_excluded_{{ number }} as n_excluded,
    value_{{ number }} as value,
    value_low_{{ number }} as value_low,
    value_high_{{ number }} as value_high
from medians
where n_{{ number }} + n_excluded_{{ number }} > 0
{%- endfor %}
