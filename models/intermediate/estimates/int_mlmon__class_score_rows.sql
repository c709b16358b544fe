-- One row per window that estimates are made from, reference, predicted class, scores of all classes and segments: the
-- predictions that are alike, numbered.
with

sources as (
    select distinct
        source_key,
        monitor,
        reference_key,
        n_class_scores
    from {{ ref('int_mlmon__class_stretches') }}
)

select
    row_number() over (order by sources.source_key, sources.reference_key) as scored_number,
    sources.source_key,
    sources.reference_key,
    sources.n_class_scores,
    {{ mlmon.are_probabilities('counts', 'sources.n_class_scores') }} as is_scored,
    counts.predicted_class,
    classes.class_number as predicted_number,
    counts.n
    {{- mlmon.class_scores_of('counts') }}
    {%- for number in range(1, mlmon.slot_counts()['segment'] + 1) %},
    counts.segment_{{ number }}
    {%- endfor %}
from sources
inner join {{ ref('int_mlmon__score_counts') }} as counts
    on sources.source_key = counts.window_key
left join ({{ mlmon.class_score_settings() }}) as classes
    on
        sources.monitor = classes.monitor
        and counts.predicted_class = classes.class_label
