-- One row per window, segment, outcome and latency bucket (NULL: no latency was logged): how many
-- predictions ended so and took that long. Outcomes and the latency quantiles of any span come from
-- it.
{{ config(
    materialized='incremental',
    incremental_strategy='mlmon_windows',
    unique_key='window_key',
    on_schema_change='append_new_columns',
    meta={'stale': 'predictions'},
    post_hook="{{ mlmon.record_windows('predictions') }}",
) }}

with

predictions as {{ mlmon.inlined() }} (
    select
        window_number,
        coalesce(outcome, '__missing__') as outcome,
        is_success,
        {%- for number in range(1, mlmon.slot_counts()['segment'] + 1) %}
        segment_{{ number }},
        {%- endfor %}
        case
            when latency_ms - latency_ms = 0 and latency_ms >= 0
                then {{ mlmon.latency_bucket('latency_ms') }}
        end as bucket
    from ({{ mlmon.stale_predictions() }}) as stale_predictions
    where not is_reference
),

stale as (
    select * from {{ ref('int_mlmon__stale_windows') }}
    where facts = 'predictions' and monitor is not null
),

segments as (
    {{ mlmon.segment_settings() }}
),

counted as (
    {%- for number in range(0, mlmon.slot_counts()['segment'] + 1) %}
    {%- if not loop.first %}

    union all
    {% endif %}
    select
        window_number,
        {{ number }} as segment_position,
        {{ 'segment_' ~ number if number else "cast('all' as " ~ dbt.type_string() ~ ")" }}
            as segment_value,
        outcome,
        is_success,
        bucket,
        count(*) as n
    from predictions
    group by window_number, outcome, is_success, bucket{{ ', segment_' ~ number if number }}
    {%- endfor %}
)

select
    stale.window_key,
    stale.monitor,
    stale.model_version,
    stale.window_index,
    coalesce(segments.segment_name, 'all') as segment_name,
    counted.segment_value,
    counted.outcome,
    counted.is_success,
    cast(counted.bucket as bigint) as bucket,
    cast(counted.n as bigint) as n
from counted
inner join stale
    on counted.window_number = stale.window_number
left join segments
    on
        stale.monitor = segments.monitor
        and counted.segment_position = segments.segment_position
where counted.segment_position = 0 or segments.segment_name is not null
