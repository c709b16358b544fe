-- One row per monitor and monitored column (features, score, prediction): kind, slot, bins, limits.
with

columns as (
    {{ mlmon.column_settings() }}
)

select
    columns.*,
    {{ mlmon.column_key() }} as column_key,
    {{ mlmon.slot_number('slot', mlmon.numbered_slots('numeric')) }} as slot_number
from columns
where column_role <> 'label'
