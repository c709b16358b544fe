-- One row per window (of the log or of a reference table) on either side of a comparison with a
-- preset, slot of a column with one, and value (both NULL: missing): how often it occurs there. All
-- rows of the windows are read again, because other tools' numbers are made from values. They are
-- sorted, so that a comparison reads little more than its own.
{{ config(enabled=mlmon.computes_presets()) }}
{%- set slots = mlmon.numbered_preset_slots() %}
{%- set columns = slots.values() | list or ['score'] %}

with

columns as (
    select * from {{ ref('int_mlmon__column_settings') }}
    where preset is not null
),

ends as (
    select spans.*
    from {{ ref('int_mlmon__spans') }} as spans
    inner join {{ ref('int_mlmon__stale_ends') }} as stale
        on spans.window_key = stale.window_key
    where
        stale.facts = 'drift'
        and spans.is_verdict
        and spans.reference_key is not null
        and spans.monitor in (select monitor from columns)
),

windows_to_read as (
    select distinct
        windows.window_key,
        windows.monitor,
        windows.model_version,
        windows.reference_version,
        windows.window_index,
        reference_windows.reference_key
    from {{ ref('int_mlmon__windows') }} as windows
    left join ({{ mlmon.reference_windows() }}) as reference_windows
        on windows.window_key = reference_windows.window_key
    inner join ends
        on
            windows.monitor = ends.monitor
            and (
                (
                    windows.model_version = ends.model_version
                    and windows.window_index between ends.first_index and ends.window_index
                )
                or (
                    windows.model_version = ends.compared_version
                    and windows.window_index
                    between ends.compared_first_index and ends.compared_last_index
                )
                or (
                    ends.compared_with = 'reference'
                    and reference_windows.reference_key = ends.reference_key
                )
            )
    where windows.n_predictions > 0
),

wanted as (
    select
        windows_to_read.*,
        columns.slot,
        {{ mlmon.slot_number('columns.slot', slots) }} as slot_number
    from windows_to_read
    inner join columns
        on windows_to_read.monitor = columns.monitor
),

rows_of_windows as {{ mlmon.inlined() }} (
    select counting_rows.* from (
        {{ mlmon.counting_rows('windows_to_read', ['window_key'], columns) }}
    ) as counting_rows

    union all

    select
        windows_to_read.window_key,
        {{ mlmon.qualified('logged', columns) }}
    from {{ ref('stg_mlmon__references') }} as logged
    inner join windows_to_read
        on
            logged.monitor = windows_to_read.monitor
            and logged.reference_version = windows_to_read.reference_version
            and coalesce({{ mlmon.window_index('logged.predicted_at', 'logged.monitor') }}, -1)
            = windows_to_read.window_index
),

usable_rows as {{ mlmon.inlined() }} (
    select
        window_key
        {%- for slot in mlmon.preset_slots_of('numeric') %},
        {{ mlmon.nan_to_null(slot) }} as {{ slot }}
        {%- endfor %}
        {%- for slot in mlmon.preset_slots_of('categorical') %},
        {{ slot }}
        {%- endfor %}
    from rows_of_windows
),

counted as (
    select
        wanted.window_key,
        wanted.slot,
        {{ mlmon.preset_value('wanted.slot_number', 'numeric') }} as number_value,
        {{ mlmon.preset_value('wanted.slot_number', 'categorical') }} as text_value,
        cast(count(*) as bigint) as n
    from usable_rows
    inner join wanted
        on usable_rows.window_key = wanted.window_key
    group by wanted.window_key, wanted.slot, number_value, text_value
)

select
    counted.window_key,
    windows_to_read.monitor,
    windows_to_read.model_version,
    windows_to_read.window_index,
    windows_to_read.reference_key,
    counted.slot,
    counted.number_value,
    counted.text_value,
    counted.n
from counted
inner join windows_to_read
    on counted.window_key = windows_to_read.window_key
order by
    counted.slot, windows_to_read.monitor, windows_to_read.model_version,
    windows_to_read.window_index
