-- One row per monitor, version ('all' for all versions together) and base window: every window from
-- a version's first to its last with predictions, and for the newest version up to the newest closed
-- one, with what the ledger says of it. Spans and charts need the windows without predictions, too,
-- which the log does not show. A gap longer than mlmon_max_gap_days stays a gap, so that one absurd
-- timestamp cannot fill the table. All versions together have no window_key and no reference.
{%- set grains = mlmon.monitors() | map(attribute='grain') | list %}
{%- set max_gap = var('mlmon_max_gap_days') * (24 if 'hour' in grains else 1) %}
{%- set counts = [
    'n_log_rows', 'n_predictions', 'n_errors', 'n_duplicates', 'n_late_rows', 'n_skewed_rows',
    'n_labels',
] %}

with

windows as (
    select * from {{ ref('int_mlmon__windows') }}
    where source = 'log'
),

versions as (
    {{ mlmon.versions() }}
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
    where windows.n_predictions > 0
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
),

keyed as (
    select
        bounded.*,
        {{ mlmon.window_key() }} as window_key,
        {{ mlmon.window_date('window_start') }} as window_date
    from bounded
),

by_version as (
    select
        keyed.window_key,
        keyed.monitor,
        keyed.model_version,
        keyed.window_index,
        keyed.window_start,
        keyed.window_end,
        keyed.window_date,
        keyed.window_index <= bounds.last_closed_index as is_closed,
        versions.is_current_version,
        versions.reference_key,
        versions.reference_hash,
        versions.n_reference,
        {%- for count in counts %}
        coalesce(windows.{{ count }}, 0) as {{ count }},
        {%- endfor %}
        windows.last_predicted_at,
        windows.first_loaded_at,
        windows.last_loaded_at,
        windows.last_label_loaded_at,
        windows.max_load_delay_microseconds
    from keyed
    inner join versions
        on
            keyed.monitor = versions.monitor
            and keyed.model_version = versions.model_version
    inner join bounds
        on keyed.monitor = bounds.monitor
    left join windows
        on keyed.window_key = windows.window_key
),

all_versions as (
    select
        {{ mlmon.window_key('monitor', "'all'", 'min(window_start)') }} as window_key,
        monitor,
        cast('all' as {{ dbt.type_string() }}) as model_version,
        window_index,
        min(window_start) as window_start,
        min(window_end) as window_end,
        min(window_date) as window_date,
        bool_or(is_closed) as is_closed,
        false as is_current_version,
        cast(null as {{ dbt.type_string() }}) as reference_key,
        cast(null as {{ dbt.type_string() }}) as reference_hash,
        cast(null as bigint) as n_reference,
        {%- for count in counts %}
        sum({{ count }}) as {{ count }},
        {%- endfor %}
        max(last_predicted_at) as last_predicted_at,
        min(first_loaded_at) as first_loaded_at,
        max(last_loaded_at) as last_loaded_at,
        max(last_label_loaded_at) as last_label_loaded_at,
        max(max_load_delay_microseconds) as max_load_delay_microseconds
    from by_version
    group by monitor, window_index
),

shown as (
    select * from by_version
    union all
    select * from all_versions
)

select
    shown.*,
    {{ mlmon.monitor_key('shown.monitor', 'shown.model_version') }} as monitor_key,
    bounds.data_through_at,
    {{ mlmon.add_time('shown.window_end', 'settings.label_horizon_days', 'day') }} as mature_at,
    settings.has_labels
from shown
inner join bounds
    on shown.monitor = bounds.monitor
inner join {{ ref('int_mlmon__settings') }} as settings
    on shown.monitor = settings.monitor
