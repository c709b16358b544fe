-- One row per reference table, segment and KPI: the sums of int_mlmon__kpi_sums over its rows, for
-- KPIs that need a label over those that have one (label age 'reference'). KPIs are compared with
-- these; references in the log have theirs in the facts of their windows.
{{ config(
    enabled=mlmon.is_asked_for('kpis'),
    materialized='incremental',
    incremental_strategy='mlmon_windows',
    unique_key='reference_key',
    on_schema_change='append_new_columns',
    meta={'stale': 'references'},
    post_hook="{{ mlmon.record_windows('references') }}",
) }}

with

stale as (
    select reference_facts.*
    from {{ ref('int_mlmon__stale_windows') }} as stale
    inner join {{ ref('int_mlmon__references') }} as reference_facts
        on
            stale.facts = 'references'
            and stale.window_key = reference_facts.reference_key
    where reference_facts.reference_kind = 'table'
),

sources as (
    select
        reference_key as source_key,
        monitor
    from stale
),

requests as {{ mlmon.inlined() }} (
    select
        logged.*,
        cast(null as {{ dbt.type_string() }}) as outcome,
        stale.reference_key as mlmon_source,
        logged.monitor as mlmon_monitor,
        cast('none' as {{ dbt.type_string() }}) as mlmon_age
        {{- mlmon.kpi_segments('logged') }}
    from {{ ref('stg_mlmon__references') }} as logged
    inner join stale
        on
            logged.monitor = stale.monitor
            and logged.reference_version = stale.reference_version
    {{- mlmon.segment_joins('logged', 'stale.reference_key') }}
),

labelled_requests as {{ mlmon.inlined() }} (
    select * from requests
    where label_class is not null or {{ mlmon.nan_to_null('label_value') }} is not null
),

kpi_values as (
    {{ mlmon.kpi_values('requests', needs_label=false) }}
),

labelled_kpi_values as (
    {{ mlmon.kpi_values('labelled_requests', needs_label=true) }}
),

summed as (
    {{- mlmon.kpi_sums('kpi_values', needs_label=false) }}
),

labelled_summed as (
    {{- mlmon.kpi_sums('labelled_kpi_values', needs_label=true) }}
),

named as (
    {{- mlmon.name_kpi_sums('summed', needs_label=false) }}
),

labelled_named as (
    {{- mlmon.name_kpi_sums('labelled_summed', needs_label=true) }}
)

select
    source_key as reference_key,
    monitor,
    kpi,
    label_age,
    segment_name,
    segment_value,
    n,
    n_missing,
    value_sum,
    value_mean,
    deviation_squares
from named

union all

select
    source_key as reference_key,
    monitor,
    kpi,
    cast('reference' as {{ dbt.type_string() }}) as label_age,
    segment_name,
    segment_value,
    n,
    n_missing,
    value_sum,
    value_mean,
    deviation_squares
from labelled_named
