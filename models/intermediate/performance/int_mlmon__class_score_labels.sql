-- One row per population of a monitor with class scores and labelled prediction in it, numbered: its class, its scores, and whether
-- they are probabilities. A table, so that all that is computed of a row means the same row.
{%- set segments = range(1, mlmon.slot_counts()['segment'] + 1) | list %}

with

classes as (
    {{ mlmon.class_score_settings() }}
)

select
    row_number() over (
        partition by populations.population_number order by sources.source_key
    ) as row_id,
    populations.population_number,
    populations.monitor,
    populations.has_segments,
    settings.n_class_scores,
    classes.class_number,
    {{ mlmon.are_probabilities('rows_of_source', 'settings.n_class_scores') }} as is_scored
    {{- mlmon.class_scores_of('rows_of_source') }}
    {%- for number in segments %},
    rows_of_source.segment_{{ number }}
    {%- endfor %}
from {{ ref('int_mlmon__populations') }} as populations
inner join {{ ref('int_mlmon__settings') }} as settings
    on
        populations.monitor = settings.monitor
        and settings.n_class_scores > 0
inner join {{ ref('int_mlmon__stretch_sources') }} as sources
    on populations.stretch_number = sources.stretch_number
inner join {{ ref('int_mlmon__labelled_sources') }} as rows_of_source
    on sources.source_key = rows_of_source.source_key
left join classes
    on
        populations.monitor = classes.monitor
        and rows_of_source.label_class = classes.class_label
where
    {{ mlmon.counts_at_age('rows_of_source', 'populations.label_age_days') }}
    and rows_of_source.label_class is not null
