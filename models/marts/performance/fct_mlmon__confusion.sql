-- One row per monitor, version, closed window end, span, segment, label age, label class and
-- predicted class: how many labelled predictions. It has the horizon and latest; segments at the
-- longest span.
{{ config(
    materialized='incremental',
    incremental_strategy='mlmon_windows',
    unique_key='window_key',
    on_schema_change='append_new_columns',
    meta={'stale': 'performance'},
    post_hook="{{ mlmon.record_windows('performance') }}",
) }}

with

counts as (
    select
        sources.window_set_number,
        counts.segment_name,
        counts.segment_value,
        counts.label_class,
        counts.predicted_class,
        cast(sum(counts.n) as bigint) as n
    from ({{ mlmon.window_set_sources() }}) as sources
    inner join {{ ref('int_mlmon__settings') }} as settings
        on
            sources.monitor = settings.monitor
            and settings.task in ('binary', 'multiclass')
    inner join {{ ref('int_mlmon__label_counts') }} as counts
        on
            sources.source_key = counts.window_key
            and {{ mlmon.counts_by_age('counts', 'sources.counted_age_days') }}
    where
        (sources.has_segments or counts.segment_name = 'all')
        and counts.label_class is not null
        and counts.predicted_class is not null
    group by
        sources.window_set_number, counts.segment_name, counts.segment_value,
        counts.label_class, counts.predicted_class
    having sum(counts.n) > 0
),

shared as (
    select
        counts.*,
        sum(n) over (
            partition by window_set_number, segment_name, segment_value
        ) as n_all,
        sum(n) over (
            partition by window_set_number, segment_name, segment_value, label_class
        ) as n_of_label
    from counts
),

window_sets as (
    select * from {{ ref('int_mlmon__window_sets') }}
    where reference_key is null and (is_horizon or label_age_days is null)
)

select
    window_sets.window_key,
    {{ mlmon.window_columns('window_sets') }},
    shared.segment_name,
    shared.segment_value,
    window_sets.label_age,
    window_sets.is_horizon,
    shared.label_class,
    shared.predicted_class,
    case
        when settings.task <> 'binary'
            then case when shared.label_class = shared.predicted_class then 'hit' else 'miss' end
        when shared.label_class = '1' and shared.predicted_class = '1' then 'tp'
        when shared.label_class = '1' then 'fn'
        when shared.predicted_class = '1' then 'fp'
        else 'tn'
    end as cell,
    shared.n,
    cast(shared.n as {{ mlmon.type_double() }}) / shared.n_all as share_of_all,
    cast(shared.n as {{ mlmon.type_double() }}) / shared.n_of_label as share_of_label
from shared
inner join window_sets
    on shared.window_set_number = window_sets.window_set_number
inner join {{ ref('int_mlmon__settings') }} as settings
    on window_sets.monitor = settings.monitor
where window_sets.is_default_span or shared.segment_name = 'all'
