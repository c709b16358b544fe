-- One row per reference table, segment, label class and predicted class: the labelled reference's confusion counts,
-- the baseline of degradation. A reference that is a stretch of the log has its counts in the log's own facts.
{{ config(
    materialized='incremental',
    incremental_strategy='mlmon_windows',
    unique_key='reference_key',
    on_schema_change='append_new_columns',
    meta={'touched': 'int_mlmon__touched_references'},
    post_hook="{{ mlmon.record_windows(ref('mlmon', 'int_mlmon__touched_references')) }}",
) }}

with

reference_facts as (
    select * from {{ ref('int_mlmon__references') }}
),

segments as (
    {{ mlmon.segment_settings() }}
),

reference_rows as (
    select
        logged.reference_key,
        logged.prediction_class,
        logged.label_class
        {%- for number in range(1, mlmon.slot_counts()['segment'] + 1) %},
        {{ mlmon.resolved_segment(
            'logged.segment_' ~ number, 'segment_' ~ number ~ '_values'
        ) }} as segment_{{ number }}
        {%- endfor %}
    from {{ ref('int_mlmon__touched_reference_rows') }} as logged
    {%- for number in range(1, mlmon.slot_counts()['segment'] + 1) %}
    left join {{ ref('int_mlmon__slot_segments') }} as segment_{{ number }}_values
        on
            logged.edge_set_number = segment_{{ number }}_values.edge_set_number
            and segment_{{ number }}_values.slot = 'segment_{{ number }}'
            and logged.segment_{{ number }} = segment_{{ number }}_values.segment_value
    {%- endfor %}
    where logged.label_class is not null
),

counted as (
    {%- for number in range(0, mlmon.slot_counts()['segment'] + 1) %}
    {%- if not loop.first %}

    union all
    {% endif %}
    select
        reference_key,
        {{ number }} as segment_position,
        {{ 'segment_' ~ number if number else "cast('all' as " ~ dbt.type_string() ~ ")" }}
            as segment_value,
        label_class,
        prediction_class,
        count(*) as n
    from reference_rows
    group by
        reference_key, label_class, prediction_class
        {{- ', segment_' ~ number if number }}
    {%- endfor %}
)

select
    counted.reference_key,
    reference_facts.monitor,
    coalesce(segments.segment_name, 'all') as segment_name,
    counted.segment_value,
    counted.label_class,
    counted.prediction_class as predicted_class,
    cast(counted.n as bigint) as n
from counted
inner join reference_facts
    on counted.reference_key = reference_facts.reference_key
left join segments
    on
        reference_facts.monitor = segments.monitor
        and counted.segment_position = segments.segment_position
where counted.segment_position = 0 or segments.segment_name is not null
