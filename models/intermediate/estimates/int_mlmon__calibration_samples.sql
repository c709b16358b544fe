-- One row per stale reference of a monitor with scores and score: how many of its labels at the
-- horizon were positive, and how many of its predictions. Scores are calibrated on it, once all
-- labels of the reference can have come.
-- A table, because a Python model reads it.
with

mature as (
    select
        window_sets.window_set_number,
        window_sets.reference_key,
        settings.label_horizon_days
    from {{ ref('int_mlmon__window_sets') }} as window_sets
    inner join {{ ref('int_mlmon__references') }} as reference_facts
        on
            window_sets.reference_key = reference_facts.reference_key
            and reference_facts.is_mature
    inner join {{ ref('int_mlmon__settings') }} as settings
        on
            window_sets.monitor = settings.monitor
            and settings.has_score
),

logged as (
    select
        window_key as source_key,
        prediction_class,
        score,
        label_class,
        valid_from_microseconds,
        valid_to_microseconds
    from {{ ref('int_mlmon__labelled_predictions') }}
)

select
    mature.reference_key,
    logged.score,
    cast(sum(case when logged.label_class = '1' then 1 else 0 end) as bigint) as n_positive,
    cast(sum(case when logged.prediction_class = '1' then 1 else 0 end) as bigint)
        as n_predicted,
    cast(sum(case when logged.prediction_class <> '1' then 1 else 0 end) as bigint)
        as n_predicted_other,
    cast(count(*) as bigint) as n
from mature
inner join {{ ref('int_mlmon__window_set_sources') }} as sources
    on mature.window_set_number = sources.window_set_number
inner join logged
    on sources.source_key = logged.source_key
where
    logged.label_class is not null
    and {{ mlmon.counts_at_age('logged', 'mature.label_horizon_days') }}
    and logged.score >= 0
    and logged.score <= 1
group by mature.reference_key, logged.score
