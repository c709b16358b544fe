-- One row per monitor and monitored column, the label among them: what the column is and by which
-- policies it is compared.
with

columns as (
    select
        settings.*,
        {{ mlmon.column_key('settings.monitor', 'settings.column_role', 'settings.column_name') }}
            as column_key
    from ({{ mlmon.column_settings() }}) as settings
),

bins as (
    select
        reference_facts.monitor,
        bins.column_name,
        count(distinct bins.bin_index) as n_bins
    from {{ ref('int_mlmon__bins') }} as bins
    inner join {{ ref('int_mlmon__references') }} as reference_facts
        on bins.reference_key = reference_facts.reference_key
    group by reference_facts.monitor, bins.column_name
)

select
    columns.column_key,
    columns.monitor,
    columns.column_name,
    columns.column_role,
    columns.column_kind,
    cast(columns.column_position as integer) as column_position,
    columns.description,
    columns.expression,
    columns.slot,
    columns.is_required,
    columns.importance,
    columns.declared_min,
    columns.declared_max,
    columns.bin_policy,
    columns.smoothing,
    columns.missing_policy,
    cast(bins.n_bins as integer) as n_bins
from columns
left join bins
    on
        columns.monitor = bins.monitor
        and columns.column_name = bins.column_name
