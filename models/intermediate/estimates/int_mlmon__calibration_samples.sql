-- One row per touched reference, class by its number and score: how many of its labels at the horizon were of the class,
-- which of a binary monitor is the positive one, with number 0, and how many predictions. What scores are calibrated on,
-- once all labels of the reference can have come.
with

stretches as (
    select
        stretches.stretch_number,
        stretches.monitor,
        stretches.reference_key,
        settings.label_horizon_days,
        settings.has_score,
        settings.n_class_scores
    from {{ ref('int_mlmon__population_stretches') }} as stretches
    inner join {{ ref('int_mlmon__mature_references') }} as mature
        on stretches.reference_key = mature.reference_key
    inner join {{ ref('int_mlmon__settings') }} as settings
        on
            stretches.monitor = settings.monitor
            and (settings.has_score or settings.n_class_scores > 0)
),

classes as (
    {{ mlmon.class_score_settings() }}
),

labelled as (
    select
        stretches.monitor,
        stretches.reference_key,
        stretches.has_score,
        stretches.n_class_scores,
        rows_of_source.prediction_class,
        rows_of_source.score,
        rows_of_source.label_class
        {{- mlmon.class_scores_of('rows_of_source') }}
    from stretches
    inner join {{ ref('int_mlmon__stretch_sources') }} as sources
        on stretches.stretch_number = sources.stretch_number
    inner join {{ ref('int_mlmon__labelled_sources') }} as rows_of_source
        on sources.source_key = rows_of_source.source_key
    where
        rows_of_source.label_class is not null
        and {{ mlmon.counts_at_age('rows_of_source', 'stretches.label_horizon_days') }}
)

select
    reference_key,
    cast(0 as bigint) as class_number,
    score,
    cast(sum(case when label_class = '1' then 1 else 0 end) as bigint) as n_positive,
    cast(sum(case when prediction_class = '1' then 1 else 0 end) as bigint) as n_predicted,
    cast(sum(case when prediction_class <> '1' then 1 else 0 end) as bigint)
        as n_predicted_other,
    cast(count(*) as bigint) as n
from labelled
where
    has_score
    and score >= 0
    and score <= 1
group by reference_key, score
{%- for slot in mlmon.class_score_slots() %}

union all

select
    labelled.reference_key,
    classes.class_number,
    labelled.{{ slot }} as score,
    cast(
        sum(case when labelled.label_class = classes.class_label then 1 else 0 end) as bigint
    ) as n_positive,
    cast(
        sum(case when labelled.prediction_class = classes.class_label then 1 else 0 end) as bigint
    ) as n_predicted,
    cast(
        sum(case when labelled.prediction_class <> classes.class_label then 1 else 0 end)
        as bigint
    ) as n_predicted_other,
    cast(count(*) as bigint) as n
from labelled
inner join classes
    on
        labelled.monitor = classes.monitor
        and classes.class_number = {{ loop.index }}
where {{ mlmon.are_probabilities('labelled', 'labelled.n_class_scores') }}
group by labelled.reference_key, classes.class_number, labelled.{{ slot }}
{%- endfor %}
