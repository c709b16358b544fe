-- One row per stretch and label age: the labelled predictions that a metric is computed over. The whole monitor at
-- every span, at the horizon and latest; other ages, and segments, at the longest span; references at the horizon.
-- fact_age is the age under which the facts have them.
with

stretches as (
    select * from {{ ref('int_mlmon__population_stretches') }}
),

label_ages as (
    {{ mlmon.label_age_settings() }}
)

select
    row_number() over (
        order by stretches.stretch_number, label_ages.label_age
    ) as population_number,
    stretches.stretch_number,
    stretches.monitor,
    stretches.reference_key,
    label_ages.label_age,
    label_ages.label_age_days,
    stretches.is_default_span as has_segments,
    case when stretches.reference_kind = 'table' then 'reference' else label_ages.label_age end
        as fact_age
from stretches
inner join label_ages
    on stretches.monitor = label_ages.monitor
where
    label_ages.is_horizon
    or (stretches.reference_key is null and label_ages.label_age_days is null)
    or (stretches.reference_key is null and stretches.is_default_span)
