-- One row per population: the labelled predictions that a metric is computed over, which are those of some windows, or of
-- a reference table, at a label age. Its windows are those of the named stretch; fact_age is the age under which the
-- facts have them.
select
    population_number,
    min(stretch_number) as stretch_number,
    min(monitor) as monitor,
    min(label_age) as label_age,
    min(label_age_days) as label_age_days,
    bool_or(has_segments) as has_segments,
    min(fact_age) as fact_age
from {{ ref('int_mlmon__population_members') }}
group by population_number
