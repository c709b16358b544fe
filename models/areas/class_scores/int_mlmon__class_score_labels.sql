-- One row per window set of a monitor with class scores, label age and labelled prediction,
-- numbered: its class, its scores, and whether they are probabilities.
-- int_mlmon__class_rank_metrics ranks the scores of each class.
-- A table, so that all that is computed of a numbered row means the same row.
{{ config(enabled=mlmon.is_asked_for('class_scores')) }}
{%- set segments = range(1, mlmon.slot_counts()['segment'] + 1) | list %}

with

classes as (
    {{ mlmon.class_score_settings() }}
),

window_sets as (
    select
        window_sets.window_set_number,
        window_sets.monitor,
        window_sets.label_age,
        settings.n_class_scores,
        min(window_sets.label_age_days) as label_age_days,
        bool_or(window_sets.is_default_span) as has_segments
    from {{ ref('int_mlmon__window_sets') }} as window_sets
    inner join {{ ref('int_mlmon__settings') }} as settings
        on
            window_sets.monitor = settings.monitor
            and settings.n_class_scores > 0
    group by
        window_sets.window_set_number, window_sets.monitor, window_sets.label_age,
        settings.n_class_scores
),

labelled as (
    select
        window_key as source_key,
        label_class,
        valid_from_microseconds,
        valid_to_microseconds
        {{- mlmon.class_scores_of('labelled') }}
        {%- for number in segments %},
        segment_{{ number }}
        {%- endfor %}
    from {{ ref('int_mlmon__labelled_predictions') }} as labelled
)

select
    row_number() over (
        partition by window_sets.window_set_number, window_sets.label_age
        order by sources.source_key
    ) as row_id,
    window_sets.window_set_number,
    window_sets.label_age,
    window_sets.monitor,
    window_sets.has_segments,
    window_sets.n_class_scores,
    classes.class_number,
    {{ mlmon.are_probabilities('labelled', 'window_sets.n_class_scores') }} as is_scored
    {{- mlmon.class_scores_of('labelled') }}
    {%- for number in segments %},
    labelled.segment_{{ number }}
    {%- endfor %}
from window_sets
inner join {{ ref('int_mlmon__window_set_sources') }} as sources
    on window_sets.window_set_number = sources.window_set_number
inner join labelled
    on sources.source_key = labelled.source_key
left join classes
    on
        window_sets.monitor = classes.monitor
        and labelled.label_class = classes.class_label
where
    {{ mlmon.counts_at_age('labelled', 'window_sets.label_age_days') }}
    and labelled.label_class is not null
