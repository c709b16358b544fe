-- One row per reference, segment, monitored column and bin: how many rows of the reference.
{{ config(
    materialized='incremental',
    incremental_strategy='mlmon_windows',
    unique_key='reference_key',
    on_schema_change='append_new_columns',
    meta={'touched': 'int_mlmon__touched_references'},
    post_hook="{{ mlmon.record_windows(ref('mlmon', 'int_mlmon__touched_references')) }}",
) }}

with

touched as (
    select
        reference_facts.reference_key,
        reference_facts.monitor
    from {{ ref('int_mlmon__touched_references') }} as touched
    inner join {{ ref('int_mlmon__references') }} as reference_facts
        on touched.window_key = reference_facts.reference_key
),

reference_rows as (
    select
        logged.reference_key,
        logged.edge_set_number,
        logged.prediction_class,
        logged.prediction_value,
        logged.score
        {%- for slot in mlmon.slot_names() %},
        {{ mlmon.resolved_segment('logged.' ~ slot, slot ~ '_values')
            if slot.startswith('segment') else 'logged.' ~ slot }} as {{ slot }}
        {%- endfor %}
    from {{ ref('int_mlmon__touched_reference_rows') }} as logged
    {%- for number in range(1, mlmon.slot_counts()['segment'] + 1) %}
    left join {{ ref('int_mlmon__slot_segments') }} as segment_{{ number }}_values
        on
            logged.edge_set_number = segment_{{ number }}_values.edge_set_number
            and segment_{{ number }}_values.slot = 'segment_{{ number }}'
            and logged.segment_{{ number }} = segment_{{ number }}_values.segment_value
    {%- endfor %}
),

columns as (
    select * from {{ ref('int_mlmon__column_settings') }}
),

segments as (
    {{ mlmon.segment_settings() }}
),

counted as (
    {{ mlmon.count_bins('reference_rows', 'reference_key', 'touched') }}
),

all_counts as (
    select
        reference_key,
        cast('all' as {{ dbt.type_string() }}) as segment_name,
        cast('all' as {{ dbt.type_string() }}) as segment_value,
        slot,
        bin_index,
        sum(n) as n
    from counted
    where segment_position = 1
    group by reference_key, slot, bin_index

    union all

    select
        counted.reference_key,
        segments.segment_name,
        counted.segment_value,
        counted.slot,
        counted.bin_index,
        counted.n
    from counted
    inner join touched
        on counted.reference_key = touched.reference_key
    inner join segments
        on
            touched.monitor = segments.monitor
            and counted.segment_position = segments.segment_position
)

select
    touched.reference_key,
    touched.monitor,
    all_counts.segment_name,
    all_counts.segment_value,
    columns.column_name,
    columns.column_role,
    columns.column_kind,
    all_counts.bin_index,
    cast(all_counts.n as bigint) as n
from all_counts
inner join touched
    on all_counts.reference_key = touched.reference_key
inner join columns
    on
        touched.monitor = columns.monitor
        and all_counts.slot = columns.slot
