-- One row per shown item and segment: where it stands in the list of its query, by falling score. The list is what was
-- shown of the query in one window, or the part of it that lies in the segment. Items of equal score stand in the order
-- of item_id; first_tied is the first position of theirs.
{{ config(materialized='view') }}

with

items as {{ mlmon.inlined() }} (
    select * from {{ ref('int_mlmon__shown_items') }}
),

segments as (
    {{ mlmon.segment_settings() }}
)

{%- for number in range(0, mlmon.slot_counts()['segment'] + 1) %}
{%- set all = "cast('all' as " ~ dbt.type_string() ~ ")" %}
{%- set value = 'items.segment_' ~ number if number else all %}
{%- if not loop.first %}

union all
{% endif %}

select
    items.window_key,
    items.monitor,
    items.query_id,
    items.request_id,
    {{ 'segments.segment_name' if number else all }} as segment_name,
    {{ value }} as segment_value,
    row_number() over (
        partition by items.window_key, items.query_id {{- ', ' ~ value if number }}
        order by
            items.score desc nulls last,
            {{ mlmon.byte_order('items.item_id') }} nulls last,
            {{ mlmon.byte_order('items.request_id') }}
    ) as position,
    rank() over (
        partition by items.window_key, items.query_id {{- ', ' ~ value if number }}
        order by items.score desc nulls last
    ) as first_tied,
    count(*) over (
        partition by items.window_key, items.query_id {{- ', ' ~ value if number }}
        order by items.score desc nulls last
        range between current row and current row
    ) as n_tied,
    count(items.score) over (
        partition by items.window_key, items.query_id {{- ', ' ~ value if number }}
    ) as n_scored
from items
{%- if number %}
inner join segments
    on
        items.monitor = segments.monitor
        and segments.segment_position = {{ number }}
{%- endif %}
{%- endfor %}
