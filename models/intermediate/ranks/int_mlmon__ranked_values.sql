-- One row per source of values (a base window of the log, or a reference table), place and value that had to be read:
-- how often it occurs there.
with

wanted as (
    select * from {{ ref('int_mlmon__wanted_cells') }}
),

predictions as {{ mlmon.inlined() }} (
    select
        window_number as source_number,
        logged.*
    from {{ ref('int_mlmon__ranked_predictions') }} as logged
),

reference_rows as {{ mlmon.inlined() }} (
    select
        -reference_facts.edge_set_number as source_number,
        reference_facts.edge_set_number,
        {{ mlmon.nan_to_null('logged.prediction_value') }} as prediction_value,
        {{ mlmon.nan_to_null('logged.score') }} as score
        {%- for slot in mlmon.slot_names() if not slot.startswith('category') %},
        {{ mlmon.resolved_segment('logged.' ~ slot, slot ~ '_values')
            if slot.startswith('segment') else mlmon.nan_to_null('logged.' ~ slot) }} as {{ slot }}
        {%- endfor %}
    from {{ ref('stg_mlmon__references') }} as logged
    inner join {{ ref('int_mlmon__references') }} as reference_facts
        on
            logged.monitor = reference_facts.monitor
            and logged.reference_version = reference_facts.reference_version
    {%- for number in range(1, mlmon.slot_counts()['segment'] + 1) %}
    left join {{ ref('int_mlmon__slot_segments') }} as segment_{{ number }}_values
        on
            reference_facts.edge_set_number = segment_{{ number }}_values.edge_set_number
            and segment_{{ number }}_values.slot = 'segment_{{ number }}'
            and logged.segment_{{ number }} = segment_{{ number }}_values.segment_value
    {%- endfor %}
    where
        reference_facts.reference_kind = 'table'
        and -reference_facts.edge_set_number in (select source_number from wanted)
),

placed as {{ mlmon.inlined() }} (
    select * from ({{ mlmon.cells_of_rows('predictions', 'source_number') }}) as of_log

    union all

    select * from ({{ mlmon.cells_of_rows('reference_rows', 'source_number') }}) as of_references
)

select
    wanted.source_number,
    wanted.place_number,
    placed.x,
    cast(count(*) as bigint) as n
from placed
inner join wanted
    on
        placed.source_number = wanted.source_number
        and placed.slot_number = wanted.slot_number
        and placed.cell = wanted.cell
        and placed.segment_position = wanted.segment_position
        and placed.segment_value = wanted.segment_value
group by wanted.source_number, wanted.place_number, placed.x
