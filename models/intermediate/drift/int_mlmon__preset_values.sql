-- One row per touched window end at its verdict span, column with a preset, side and value: how often it occurs. Other
-- tools bin both samples together, so the span's rows and the reference's are read again.
{%- set slots = mlmon.preset_slots() %}

with

ends as (
    select * from {{ ref('int_mlmon__ranked_ends') }}
),

columns as (
    select * from {{ ref('int_mlmon__column_settings') }}
    where preset is not null
),

reference_facts as (
    select * from {{ ref('int_mlmon__references') }}
),

-- The stretches of the log that take part.
stretches as (
    select
        end_number,
        monitor,
        model_version,
        first_index,
        window_index as last_index,
        false as is_reference
    from ends

    union all

    select
        end_number,
        monitor,
        compared_version as model_version,
        compared_first_index as first_index,
        compared_last_index as last_index,
        true as is_reference
    from ends
    where compared_with <> 'reference'

    union all

    select
        ends.end_number,
        ends.monitor,
        reference_facts.logged_version as model_version,
        reference_facts.first_index,
        reference_facts.last_index,
        true as is_reference
    from ends
    inner join reference_facts
        on ends.reference_key = reference_facts.reference_key
    where ends.compared_with = 'reference' and reference_facts.reference_kind <> 'table'
),

side_rows as (
    select
        stretches.end_number,
        stretches.is_reference,
        stretches.monitor
        {%- for slot in slots %},
        logged.{{ slot }}
        {%- endfor %}
    from stretches
    inner join {{ ref('int_mlmon__resolved_predictions') }} as logged
        on
            stretches.monitor = logged.monitor
            and stretches.model_version in ('all', logged.model_version)
            and logged.window_index between stretches.first_index and stretches.last_index
    where logged.is_counting and logged.is_success

    union all

    select
        ends.end_number,
        true as is_reference,
        ends.monitor
        {%- for slot in slots %},
        logged.{{ slot }}
        {%- endfor %}
    from ends
    inner join reference_facts
        on ends.reference_key = reference_facts.reference_key
    inner join {{ ref('stg_mlmon__references') }} as logged
        on
            reference_facts.monitor = logged.monitor
            and reference_facts.reference_version = logged.reference_version
    where ends.compared_with = 'reference' and reference_facts.reference_kind = 'table'
),

slot_values as (
    {%- for slot, kind in slots.items() %}
    {%- if not loop.first %}

    union all
    {% endif %}
    select
        end_number,
        is_reference,
        monitor,
        cast('{{ slot }}' as {{ dbt.type_string() }}) as slot,
        {{ slot if kind == 'numeric' else 'cast(null as ' ~ mlmon.type_double() ~ ')' }} as x,
        {{ slot if kind != 'numeric' else 'cast(null as ' ~ dbt.type_string() ~ ')' }} as category,
        count(*) as n
    from side_rows
    group by end_number, is_reference, monitor, {{ slot }}
    {%- else %}
    select
        end_number,
        is_reference,
        monitor,
        cast(null as {{ dbt.type_string() }}) as slot,
        cast(null as {{ mlmon.type_double() }}) as x,
        cast(null as {{ dbt.type_string() }}) as category,
        0 as n
    from side_rows
    where false
    {%- endfor %}
)

select
    slot_values.end_number,
    columns.column_name,
    columns.column_kind,
    columns.preset,
    slot_values.is_reference,
    slot_values.x,
    slot_values.category,
    cast(slot_values.n as bigint) as n
from slot_values
inner join columns
    on
        slot_values.monitor = columns.monitor
        and slot_values.slot = columns.slot
