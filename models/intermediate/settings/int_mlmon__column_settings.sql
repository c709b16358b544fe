-- One row per monitor and monitored column (features, score, prediction): kind, slot, bins, limits.
with

columns as (
    {{ mlmon.column_settings() }}
)

select
    columns.*,
    {{ mlmon.column_key() }} as column_key
from columns
where column_role <> 'label'
