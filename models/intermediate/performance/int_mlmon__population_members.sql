-- One row per stretch and label age it is looked at: the population its numbers are taken from. The whole monitor at every span,
-- at the horizon and latest; other ages, and segments, at the longest span; references at the horizon. Stretches of the
-- same windows are one population: those of all versions together, where there is but one, cost nothing.
with

stretches as (
    select * from {{ ref('int_mlmon__population_stretches') }}
),

label_ages as (
    {{ mlmon.label_age_settings() }}
),

signatures as (
    select
        stretch_number,
        count(*) as n_sources,
        sum({{ mlmon.row_checksum(['source_key']) }}) as checksum,
        min(source_key) as first_key,
        max(source_key) as last_key
    from {{ ref('int_mlmon__stretch_sources') }}
    group by stretch_number
)

select
    dense_rank() over (
        order by
            stretches.monitor, signatures.n_sources, signatures.checksum, signatures.first_key,
            signatures.last_key, label_ages.label_age
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
left join signatures
    on stretches.stretch_number = signatures.stretch_number
where
    label_ages.is_horizon
    or (stretches.reference_key is null and label_ages.label_age_days is null)
    or (stretches.reference_key is null and stretches.is_default_span)
