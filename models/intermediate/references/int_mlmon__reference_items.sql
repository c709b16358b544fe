-- One row per row of a reference table of a ranking monitor that belongs to a query, with a label or not: where an item
-- stands hangs on all that were shown for the query. request_id is a number that tells the rows apart.
{{ config(
    materialized='incremental',
    incremental_strategy='mlmon_windows',
    unique_key='reference_key',
    on_schema_change='append_new_columns',
    meta={'stale': 'references'},
    post_hook="{{ mlmon.record_windows('references') }}",
) }}

select
    logged.reference_key,
    lpad(
        cast(
            row_number() over (
                partition by logged.reference_key
                order by
                    {{ mlmon.byte_order('logged.query_id') }},
                    {{ mlmon.byte_order('logged.item_id') }},
                    logged.score,
                    logged.label_value
            ) as {{ dbt.type_string() }}
        ), 18, '0'
    ) as request_id,
    logged.query_id,
    logged.item_id,
    logged.score,
    logged.label_value
    {%- for number in range(1, mlmon.slot_counts()['segment'] + 1) %},
    {{ mlmon.resolved_segment(
        'logged.segment_' ~ number, 'segment_' ~ number ~ '_values'
    ) }} as segment_{{ number }}
    {%- endfor %}
from {{ ref('int_mlmon__touched_reference_rows') }} as logged
inner join {{ ref('int_mlmon__references') }} as reference_facts
    on logged.reference_key = reference_facts.reference_key
{%- for number in range(1, mlmon.slot_counts()['segment'] + 1) %}
left join {{ ref('int_mlmon__slot_segments') }} as segment_{{ number }}_values
    on
        logged.edge_set_number = segment_{{ number }}_values.edge_set_number
        and segment_{{ number }}_values.slot = 'segment_{{ number }}'
        and logged.segment_{{ number }} = segment_{{ number }}_values.segment_value
{%- endfor %}
where reference_facts.reference_kind = 'table' and logged.query_id is not null
