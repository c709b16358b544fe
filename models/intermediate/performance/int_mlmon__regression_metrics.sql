-- One row per window end or reference of a regression monitor, span, segment, label age and metric:
-- its value and interval. They are the metrics that are sums of errors, and the median absolute
-- error, with the interval between two order statistics, which are looked up in the cells of the
-- errors. All are computed once a window set and given to the window ends that share it.
{{ config(
    enabled='regression' in mlmon.labelled_tasks(),
    materialized='incremental',
    incremental_strategy='mlmon_windows',
    unique_key='window_key',
    on_schema_change='append_new_columns',
    meta={'stale': 'performance'},
    post_hook="{{ mlmon.record_windows('performance') }}",
) }}
{%- set keys = ['window_set_number', 'segment_name', 'segment_value'] %}

with

sources as (
    select sources.*
    from ({{ mlmon.window_set_sources() }}) as sources
    inner join {{ ref('int_mlmon__settings') }} as settings
        on
            sources.monitor = settings.monitor
            and settings.task = 'regression'
),

-- The sums of a set's windows, and the mean label of all of them, about which the moments are taken
-- once they are merged: each window has its moments about its own mean.
centred as (
    select
        sources.window_set_number,
        sums.*,
        sum(sums.n * sums.label_mean) over one_set / nullif(sum(sums.n) over one_set, 0)
            as common_mean
    from sources
    inner join {{ ref('int_mlmon__error_sums') }} as sums
        on
            sources.source_key = sums.window_key
            and sources.counted_age = sums.label_age
    where sources.has_segments or sums.segment_name = 'all'
    window one_set as (
        partition by sources.window_set_number, sums.segment_name, sums.segment_value
    )
),

shifted as (
    select
        centred.*,
        {{ mlmon.without_underflow('label_mean - common_mean') }} as shift
    from centred
),

merged as (
    select
        {{ keys | join(', ') }},
        {{ mlmon.merged_error_sums() }}
    from shifted
    group by {{ keys | join(', ') }}
),

cells as (
    select
        sources.window_set_number,
        counts.segment_name,
        counts.segment_value,
        counts.cell,
        sum(counts.n) as n,
        min(counts.value_min) as value_min,
        max(counts.value_max) as value_max
    from sources
    inner join {{ ref('int_mlmon__label_counts') }} as counts
        on
            sources.source_key = counts.window_key
            and {{ mlmon.counts_by_age('counts', 'sources.counted_age_days') }}
    where
        (sources.has_segments or counts.segment_name = 'all')
        and counts.cell is not null
    group by
        sources.window_set_number, counts.segment_name, counts.segment_value, counts.cell
    having sum(counts.n) > 0
),

median_metrics as (
    {{ mlmon.median_error_metric('merged', 'cells', keys) }}
),

exact_metrics as (
    {{ mlmon.regression_metrics('merged', keys) }}
),

measured as (
    select
        exact_metrics.*,
        cast(0 as {{ mlmon.type_double() }}) as value_error
    from exact_metrics

    union all

    select * from median_metrics
)

{{ mlmon.metrics_of_ends('measured') }}
