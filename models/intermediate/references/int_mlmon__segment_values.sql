-- One row per reference, segment column without declared values and value that is a segment of its
-- own: the most frequent ones of the reference. All other values are counted together as
-- `__other__`.
{{ config(
    materialized='incremental',
    incremental_strategy='mlmon_windows',
    unique_key='reference_key',
    on_schema_change='append_new_columns',
    meta={'stale': 'references'},
    post_hook="{{ mlmon.record_windows('references') }}",
) }}

with

reference_rows as (
    select * from {{ ref('int_mlmon__stale_reference_rows') }}
),

stale as (
    select
        reference_facts.reference_key,
        reference_facts.monitor
    from {{ ref('int_mlmon__stale_windows') }} as stale
    inner join {{ ref('int_mlmon__references') }} as reference_facts
        on
            stale.facts = 'references'
            and stale.window_key = reference_facts.reference_key
),

segments as (
    {{ mlmon.segment_settings() }}
),

value_counts as (
    {%- for number in range(1, mlmon.slot_counts()['segment'] + 1) %}
    {%- if not loop.first %}
    union all
    {%- endif %}
    select
        reference_key,
        cast('segment_{{ number }}' as {{ dbt.type_string() }}) as slot,
        segment_{{ number }} as segment_value,
        count(*) as n
    from reference_rows
    where segment_{{ number }} is not null
    group by reference_key, segment_{{ number }}
    {%- else %}
    select
        reference_key,
        cast(null as {{ dbt.type_string() }}) as slot,
        prediction_class as segment_value,
        0 as n
    from reference_rows
    where false
    {%- endfor %}
),

ranked_values as (
    select
        reference_key,
        slot,
        segment_value,
        row_number() over (
            partition by reference_key, slot
            order by n desc, {{ mlmon.byte_order('segment_value') }}
        ) as value_rank
    from value_counts
    where segment_value not in ('all', '__missing__', '__other__')
)

select
    stale.reference_key,
    segments.segment_name,
    ranked_values.segment_value
from stale
inner join segments
    on stale.monitor = segments.monitor
inner join ranked_values
    on
        stale.reference_key = ranked_values.reference_key
        and segments.slot = ranked_values.slot
        and ranked_values.value_rank <= segments.max_values
where not segments.is_declared
