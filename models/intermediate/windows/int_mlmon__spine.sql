-- One row per monitor, version and window that exists for it: every window from its first to its
-- last with predictions, and for the newest version up to the newest closed window. Spans and
-- charts need the windows without predictions, too, which the log does not show. A gap longer than
-- mlmon_max_gap_days stays a gap, so that one absurd timestamp cannot fill the table.
{%- set grains = mlmon.monitors() | map(attribute='grain') | list %}
{%- set max_gap = var('mlmon_max_gap_days') * (24 if 'hour' in grains else 1) %}

with

windows as (
    select * from {{ ref('int_mlmon__windows') }}
    where source = 'log' and n_predictions > 0
),

versions as (
    select * from {{ ref('int_mlmon__versions') }}
),

bounds as (
    select * from {{ ref('int_mlmon__log_bounds') }}
),

followed as (
    select
        windows.monitor,
        windows.model_version,
        windows.window_index,
        coalesce(
            lead(windows.window_index) over (
                partition by windows.monitor, windows.model_version
                order by windows.window_index
            ),
            case when versions.is_current_version then bounds.last_closed_index + 1 end,
            windows.window_index + 1
        ) as next_index
    from windows
    inner join versions
        on
            windows.monitor = versions.monitor
            and windows.model_version = versions.model_version
    inner join bounds
        on windows.monitor = bounds.monitor
),

indexed as (
    select
        monitor,
        model_version,
        window_index
    from followed

    union all

    select
        followed.monitor,
        followed.model_version,
        followed.window_index + counted.i as window_index
    from followed
    inner join ({{ mlmon.integers(max_gap) }}) as counted
        on
            counted.i > 0
            and counted.i < followed.next_index - followed.window_index
    where
        followed.next_index - followed.window_index > 1
        and followed.next_index - followed.window_index <= {{ max_gap }}
),

bounded as (
    select
        indexed.*,
        {{ mlmon.window_start('window_index') }} as window_start,
        {{ mlmon.window_start('window_index + 1') }} as window_end
    from indexed
)

select
    {{ mlmon.window_key('bounded.monitor', 'bounded.model_version', 'bounded.window_start') }}
        as window_key,
    versions.monitor_key,
    bounded.monitor,
    bounded.model_version,
    bounded.window_index,
    bounded.window_start,
    bounded.window_end,
    {{ mlmon.window_date('bounded.window_start', 'bounded.monitor') }} as window_date,
    bounded.window_index <= bounds.last_closed_index as is_closed,
    versions.is_current_version,
    versions.reference_key,
    versions.reference_hash,
    versions.n_reference
from bounded
inner join versions
    on
        bounded.monitor = versions.monitor
        and bounded.model_version = versions.model_version
inner join bounds
    on bounded.monitor = bounds.monitor
