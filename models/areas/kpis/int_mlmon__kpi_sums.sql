-- One row per window, segment and KPI that needs no label: how many of its successful requests have
-- a value, their sum, mean and squared deviations from it. KPIs of spans are computed from it; it
-- merges over windows.
{{ config(
    enabled=mlmon.is_asked_for('kpis'),
    materialized='incremental',
    incremental_strategy='mlmon_windows',
    unique_key='window_key',
    on_schema_change='append_new_columns',
    meta={'stale': 'predictions'},
    post_hook="{{ mlmon.record_windows('predictions') }}",
) }}

with

stale as (
    select * from {{ ref('int_mlmon__stale_windows') }}
    where facts = 'predictions' and monitor is not null
),

sources as (
    select
        window_key as source_key,
        monitor
    from stale
),

requests as {{ mlmon.inlined() }} (
    select
        logged.*,
        stale.window_key as mlmon_source,
        logged.monitor as mlmon_monitor,
        cast('none' as {{ dbt.type_string() }}) as mlmon_age
        {{- mlmon.kpi_segments('logged') }}
    from {{ ref('int_mlmon__resolved_predictions') }} as logged
    inner join stale
        on
            logged.monitor = stale.monitor
            and logged.model_version = stale.model_version
            and logged.window_index = stale.window_index
    {{- mlmon.segment_joins('logged', 'stale.window_key') }}
    where logged.is_counting and logged.is_success
),

kpi_values as (
    {{ mlmon.kpi_values('requests', needs_label=false) }}
),

summed as (
    {{- mlmon.kpi_sums('kpi_values', needs_label=false) }}
),

named as (
    {{- mlmon.name_kpi_sums('summed', needs_label=false) }}
)

select
    stale.window_key,
    stale.model_version,
    stale.window_index,
    named.monitor,
    named.kpi,
    named.label_age,
    named.segment_name,
    named.segment_value,
    named.n,
    named.n_missing,
    named.value_sum,
    named.value_mean,
    named.deviation_squares
from named
inner join stale
    on named.source_key = stale.window_key
