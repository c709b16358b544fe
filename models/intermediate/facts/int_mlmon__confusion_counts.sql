-- One row per window (of the log or of a reference table), segment, label age, label class and
-- predicted class: how many predictions. Every metric of classes is computed from it, and the
-- coverage of all labels; it merges over windows by sum.
{{ config(
    materialized='incremental',
    incremental_strategy='mlmon_windows',
    unique_key='window_key',
    on_schema_change='append_new_columns',
    meta={'stale': 'labels'},
    post_hook="{{ mlmon.record_windows('labels') }}",
) }}

with

stale as (
    select * from {{ ref('int_mlmon__stale_windows') }}
    where facts = 'labels' and monitor is not null
),

segments as (
    {{ mlmon.segment_settings() }}
),

labelled as (
    select * from {{ ref('int_mlmon__aged_predictions') }}
),

counted as (
    {%- for number in range(0, mlmon.slot_counts()['segment'] + 1) %}
    {%- if not loop.first %}

    union all
    {% endif %}
    select
        window_key,
        {{ number }} as segment_position,
        {{ 'segment_' ~ number if number else "cast('all' as " ~ dbt.type_string() ~ ")" }}
            as segment_value,
        label_age,
        label_class,
        prediction_class,
        count(*) as n,
        sum(case when is_early then 1 else 0 end) as n_early,
        sum(case when has_conflict then 1 else 0 end) as n_conflicts
    from labelled
    group by
        window_key, label_age, label_class, prediction_class
        {{- ', segment_' ~ number if number }}
    {%- endfor %}
)

select
    stale.window_key,
    case when not stale.is_reference then stale.monitor end as monitor,
    stale.model_version,
    stale.window_index,
    coalesce(segments.segment_name, 'all') as segment_name,
    counted.segment_value,
    counted.label_age,
    counted.label_class,
    counted.prediction_class as predicted_class,
    cast(counted.n as bigint) as n,
    cast(counted.n_early as bigint) as n_early,
    cast(counted.n_conflicts as bigint) as n_conflicts
from counted
inner join stale
    on counted.window_key = stale.window_key
left join segments
    on
        stale.monitor = segments.monitor
        and counted.segment_position = segments.segment_position
where counted.segment_position = 0 or segments.segment_name is not null
