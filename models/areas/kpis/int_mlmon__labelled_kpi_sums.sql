-- One row per window, segment, KPI that needs a label and label age (the horizon and the latest):
-- the sums of int_mlmon__kpi_sums over the requests with a label that old. KPIs of spans are
-- computed from both.
{{ config(
    enabled=mlmon.is_asked_for('kpis'),
    materialized='incremental',
    incremental_strategy='mlmon_windows',
    unique_key='window_key',
    on_schema_change='append_new_columns',
    meta={'stale': 'labels'},
    post_hook="{{ mlmon.record_windows('labels') }}",
) }}

with

stale as (
    select * from {{ ref('int_mlmon__stale_windows') }}
    where facts = 'labels' and monitor is not null and not is_reference
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

requests as {{ mlmon.inlined() }} (
    select
        logged.*,
        labelled.label_class,
        labelled.label_value,
        labelled.window_key as mlmon_source,
        labelled.monitor as mlmon_monitor,
        label_ages.label_age as mlmon_age
        {%- for number in range(1, mlmon.slot_counts()['segment'] + 1) %},
        labelled.segment_{{ number }} as mlmon_segment_{{ number }}
        {%- endfor %}
    from {{ ref('int_mlmon__labelled_predictions') }} as labelled
    inner join stale
        on labelled.window_key = stale.window_key
    inner join label_ages
        on
            labelled.monitor = label_ages.monitor
            and {{ mlmon.counts_at_age('labelled', 'label_ages.label_age_days') }}
    inner join {{ ref('int_mlmon__resolved_predictions') }} as logged
        on
            labelled.monitor = logged.monitor
            and labelled.model_version = logged.model_version
            and labelled.window_index = logged.window_index
            and labelled.request_id = logged.request_id
            and logged.is_counting
            and logged.is_success
),

kpi_values as (
    {{ mlmon.kpi_values('requests', needs_label=true) }}
),

summed as (
    {{- mlmon.kpi_sums('kpi_values', needs_label=true) }}
),

named as (
    {{- mlmon.name_kpi_sums('summed', needs_label=true) }}
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
