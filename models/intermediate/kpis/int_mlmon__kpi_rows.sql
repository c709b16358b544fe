-- One row per monitor, version ('all' beside each), closed window end, span, segment, KPI and label age that is shown, with or
-- without a value: how complete its labels are, as of performance.
with

spans as (
    select * from {{ ref('int_mlmon__version_spans') }}
),

ages as (
    {{ mlmon.kpi_age_settings() }}
),

coverage as (
    select
        monitor_key,
        window_end,
        span_windows,
        segment_name,
        segment_value,
        label_age,
        max(n_predictions) as n_predictions,
        max(label_coverage) as label_coverage,
        max(expected_label_coverage) as expected_label_coverage,
        max(case when is_mature then 1 else 0 end) = 1 as is_mature
    from {{ ref('fct_mlmon__performance') }}
    where class_label = 'all'
    group by
        monitor_key, window_end, span_windows, segment_name, segment_value, label_age
),

segments as (
    select distinct
        monitor_key,
        end_index,
        span_windows,
        segment_name,
        segment_value,
        kpi,
        label_age
    from {{ ref('int_mlmon__kpi_spans') }}
    where segment_name <> 'all'
),

unlabelled as (
    select
        spans.monitor_key,
        spans.window_index,
        spans.span_windows,
        cast('all' as {{ dbt.type_string() }}) as segment_name,
        cast('all' as {{ dbt.type_string() }}) as segment_value,
        ages.kpi,
        ages.label_age
    from spans
    inner join ages
        on
            spans.monitor = ages.monitor
            and not ages.needs_label

    union all

    select
        spans.monitor_key,
        spans.window_index,
        spans.span_windows,
        segments.segment_name,
        segments.segment_value,
        ages.kpi,
        ages.label_age
    from spans
    inner join ages
        on
            spans.monitor = ages.monitor
            and not ages.needs_label
    inner join segments
        on
            spans.monitor_key = segments.monitor_key
            and spans.window_index = segments.end_index
            and spans.span_windows = segments.span_windows
            and ages.kpi = segments.kpi
            and ages.label_age = segments.label_age
),

keyed as (
    select
        unlabelled.*,
        cast(null as bigint) as n_predictions,
        cast(null as {{ mlmon.type_double() }}) as label_coverage,
        cast(null as {{ mlmon.type_double() }}) as expected_label_coverage,
        cast(null as boolean) as is_mature
    from unlabelled

    union all

    select
        spans.monitor_key,
        spans.window_index,
        spans.span_windows,
        coverage.segment_name,
        coverage.segment_value,
        ages.kpi,
        ages.label_age,
        coverage.n_predictions,
        coverage.label_coverage,
        coverage.expected_label_coverage,
        coverage.is_mature
    from spans
    inner join ages
        on
            spans.monitor = ages.monitor
            and ages.needs_label
    inner join coverage
        on
            spans.monitor_key = coverage.monitor_key
            and spans.window_end = coverage.window_end
            and spans.span_windows = coverage.span_windows
            and ages.label_age = coverage.label_age
)

select * from keyed
