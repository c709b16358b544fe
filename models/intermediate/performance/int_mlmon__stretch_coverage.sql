-- One row per stretch that ends with a window, label age and segment: its predictions, how many have a label at that age,
-- and how many would have if its windows had what their peers had; told where half of its windows have peers.
with

stretches as (
    select * from {{ ref('int_mlmon__population_stretches') }}
    where reference_key is null
),

coverage as (
    select * from {{ ref('int_mlmon__label_coverage') }}
)

select
    members.stretch_number,
    members.label_age,
    coverage.segment_name,
    coverage.segment_value,
    sum(coverage.n_predictions) as n_predictions,
    sum(coverage.n_labelled) as n_labelled,
    cast(sum(coverage.n_labelled) as {{ mlmon.type_double() }})
    / nullif(sum(coverage.n_predictions), 0) as label_coverage,
    case
        when
            2 * count(
                case when coverage.n_predictions > 0 then coverage.expected_label_coverage end
            ) >= count(case when coverage.n_predictions > 0 then 1 end)
            then
                sum(coverage.expected_label_coverage * coverage.n_predictions)
                / nullif(sum(
                    case
                        when coverage.expected_label_coverage is not null
                            then coverage.n_predictions
                    end
                ), 0)
    end as expected_label_coverage
from {{ ref('int_mlmon__population_members') }} as members
inner join stretches
    on members.stretch_number = stretches.stretch_number
inner join coverage
    on
        stretches.monitor = coverage.monitor
        and stretches.model_version = coverage.model_version
        and members.label_age = coverage.label_age
        and coverage.window_index between stretches.first_index and stretches.last_index
where members.has_segments or coverage.segment_name = 'all'
group by
    members.stretch_number, members.label_age, coverage.segment_name, coverage.segment_value
