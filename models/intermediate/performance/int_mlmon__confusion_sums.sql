-- One row per window set, label age, segment, label class and predicted class: how many labelled predictions.
select
    sources.window_set_number,
    sources.monitor,
    -- The labels of a reference that is a table are final.
    case when counts.label_age = 'reference' then 'latest' else counts.label_age end as label_age,
    counts.segment_name,
    counts.segment_value,
    counts.label_class,
    counts.predicted_class,
    cast(sum(counts.n) as bigint) as n
from {{ ref('int_mlmon__window_set_sources') }} as sources
inner join {{ ref('int_mlmon__confusion_counts') }} as counts
    on sources.source_key = counts.window_key
where sources.has_segments or counts.segment_name = 'all'
group by
    sources.window_set_number, sources.monitor, counts.label_age, counts.segment_name,
    counts.segment_value, counts.label_class, counts.predicted_class
