-- One row per window (of the log or of a reference table), segment, KPI and label age: how many of
-- its successful requests have a value, their sum, mean and squared deviations from it. The age is
-- 'none' for a KPI that needs no label; one that does has the horizon and the latest, of the
-- requests with a label that old. Rows of a reference table have the horizon alone. KPIs of spans
-- and of references are computed from it; it merges over windows.
{{ config(
    enabled=mlmon.is_asked_for('kpis'),
    materialized='incremental',
    incremental_strategy='mlmon_windows',
    unique_key='window_key',
    on_schema_change='append_new_columns',
    meta={'stale': 'labels'},
    post_hook="{{ mlmon.record_windows('labels') }}",
) }}
{%- set columns = ['prediction_class', 'prediction_value', 'score', 'latency_ms']
    + mlmon.slot_names() %}
{%- set passed = ['mlmon_source', 'mlmon_monitor', 'outcome'] + columns %}
{%- for number in range(1, mlmon.slot_counts()['segment'] + 1) %}
{%- do passed.append('mlmon_segment_' ~ number) %}
{%- endfor %}

with

stale as (
    select * from {{ ref('int_mlmon__stale_windows') }}
    where facts = 'labels' and monitor is not null
),

sources as (
    select
        window_key as source_key,
        monitor
    from stale
),

label_ages as (
    select * from ({{ mlmon.label_age_settings() }}) as ages
    where is_horizon or label_age_days is null
),

logged as {{ mlmon.inlined() }} (
    select
        stale.window_key,
        predictions.monitor,
        predictions.request_id,
        predictions.outcome,
        cast(null as {{ dbt.type_string() }}) as label_class,
        cast(null as {{ mlmon.type_double() }}) as label_value,
        {{ mlmon.qualified('predictions', columns) }}
    from {{ ref('int_mlmon__resolved_predictions') }} as predictions
    inner join stale
        on
            predictions.monitor = stale.monitor
            and predictions.model_version = stale.model_version
            and predictions.window_index = stale.window_index
    where predictions.is_counting and predictions.is_success

    union all

    -- All rows of a reference table count; their labels are in the row.
    select
        stale.window_key,
        predictions.monitor,
        cast(null as {{ dbt.type_string() }}) as request_id,
        cast(null as {{ dbt.type_string() }}) as outcome,
        predictions.label_class,
        {{ mlmon.nan_to_null('predictions.label_value') }} as label_value,
        {{ mlmon.qualified('predictions', columns) }}
    from {{ ref('stg_mlmon__references') }} as predictions
    inner join stale
        on
            predictions.monitor = stale.monitor
            and predictions.reference_version = stale.reference_version
            and coalesce({{ mlmon.window_index(
                'predictions.predicted_at', 'predictions.monitor'
            ) }}, -1) = stale.window_index
),

requests as {{ mlmon.inlined() }} (
    select
        logged.*,
        logged.window_key as mlmon_source,
        logged.monitor as mlmon_monitor,
        cast('none' as {{ dbt.type_string() }}) as mlmon_age
        {{- mlmon.kpi_segments('logged') }}
    from logged
    {{- mlmon.segment_joins('logged', 'logged.window_key') }}
),

labelled_requests as {{ mlmon.inlined() }} (
    select
        {{ mlmon.qualified('requests', passed) }},
        label_ages.label_age as mlmon_age,
        labelled.label_class,
        labelled.label_value
    from requests
    inner join {{ ref('int_mlmon__labelled_predictions') }} as labelled
        on
            requests.mlmon_source = labelled.window_key
            and requests.request_id = labelled.request_id
    inner join label_ages
        on
            requests.mlmon_monitor = label_ages.monitor
            and {{ mlmon.counts_at_age('labelled', 'label_ages.label_age_days') }}

    union all

    select
        {{ mlmon.qualified('requests', passed) }},
        label_ages.label_age as mlmon_age,
        requests.label_class,
        requests.label_value
    from requests
    inner join label_ages
        on
            requests.mlmon_monitor = label_ages.monitor
            and label_ages.is_horizon
    where requests.label_class is not null or requests.label_value is not null
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

unlabelled as (
    {{- mlmon.name_kpi_sums('summed', needs_label=false) }}
),

labelled as (
    {{- mlmon.name_kpi_sums('labelled_summed', needs_label=true) }}
),

named as (
    select * from unlabelled
    union all
    select * from labelled
)

select
    stale.window_key,
    stale.monitor,
    stale.model_version,
    stale.window_index,
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
