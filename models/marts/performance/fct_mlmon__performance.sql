-- One row per monitor, version, closed window end, span, segment, metric, class and label age: the metric of all
-- labelled predictions of the span, with its interval, coverage and maturity. Not a verdict: that is
-- fct_mlmon__degradation.
{{ config(
    materialized='incremental',
    incremental_strategy='mlmon_windows',
    unique_key='window_key',
    on_schema_change='append_new_columns',
    meta={'stale': 'int_mlmon__touched_performance_ends'},
    post_hook="{{ mlmon.record_windows('int_mlmon__touched_performance_ends') }}",
) }}

with

populations as (
    select
        stretches.*,
        populations.population_number,
        populations.label_age,
        populations.label_age_days,
        populations.has_segments
    from {{ ref('int_mlmon__population_members') }} as populations
    inner join {{ ref('int_mlmon__population_stretches') }} as stretches
        on populations.stretch_number = stretches.stretch_number
    where populations.reference_key is null
),

coverage as (
    select * from {{ ref('int_mlmon__stretch_coverage') }}
),

settings as (
    select * from {{ ref('int_mlmon__settings') }}
),

log_bounds as (
    select * from {{ ref('int_mlmon__log_bounds') }}
),

measured as (
    select * from {{ ref('int_mlmon__metric_values') }}
),

-- A metric without any label yet has a row, too; those of single classes only where the class occurs.
wanted as (
    select
        coverage.stretch_number,
        coverage.label_age,
        coverage.segment_name,
        coverage.segment_value,
        metrics.metric,
        cast('all' as {{ dbt.type_string() }}) as class_label
    from coverage
    inner join populations
        on
            coverage.stretch_number = populations.stretch_number
            and coverage.label_age = populations.label_age
    inner join ({{ mlmon.computed_metric_settings() }}) as metrics
        on populations.monitor = metrics.monitor

    union all

    select
        populations.stretch_number,
        populations.label_age,
        measured.segment_name,
        measured.segment_value,
        measured.metric,
        measured.class_label
    from measured
    inner join populations
        on measured.population_number = populations.population_number
    where
        measured.class_label <> 'all'
        and (populations.has_segments or measured.segment_name = 'all')
),

rated as (
    select
        populations.*,
        wanted.segment_name,
        wanted.segment_value,
        wanted.metric,
        wanted.class_label,
        measured.value,
        measured.value_low,
        measured.value_high,
        measured.variance,
        measured.interval_method,
        coalesce(measured.n, 0) as n,
        coalesce(measured.n_excluded, 0) as n_excluded,
        coverage.n_predictions,
        coverage.label_coverage,
        coverage.expected_label_coverage,
        case
            when populations.label_age_days is null then true
            else log_bounds.data_through_at >= {{ mlmon.add_time(
                'populations.window_end', 'populations.label_age_days', 'day'
            ) }}
        end as is_complete,
        log_bounds.data_through_at >= {{ mlmon.add_time(
            'populations.window_end', 'settings.label_horizon_days', 'day'
        ) }} as is_mature,
        case
            when coverage.n_labelled = 0 then 'no_labels'
            when measured.value is null then 'undefined'
            else 'not_judged_here'
        end as reason_code
    from wanted
    inner join populations
        on
            wanted.stretch_number = populations.stretch_number
            and wanted.label_age = populations.label_age
    inner join coverage
        on
            wanted.stretch_number = coverage.stretch_number
            and wanted.label_age = coverage.label_age
            and wanted.segment_name = coverage.segment_name
            and wanted.segment_value = coverage.segment_value
    inner join settings
        on populations.monitor = settings.monitor
    inner join log_bounds
        on populations.monitor = log_bounds.monitor
    left join measured
        on
            populations.population_number = measured.population_number
            and wanted.segment_name = measured.segment_name
            and wanted.segment_value = measured.segment_value
            and wanted.metric = measured.metric
            and wanted.class_label = measured.class_label
)

select
    rated.window_key,
    {{ mlmon.window_columns('rated') }},
    rated.segment_name,
    rated.segment_value,
    rated.metric,
    rated.class_label,
    rated.label_age,
    cast(rated.label_age_days as integer) as label_age_days,
    rated.value,
    rated.value_low,
    rated.value_high,
    case when rated.value_low is not null then rated.interval_method end as interval_method,
    sqrt(rated.variance) as standard_error,
    rated.n,
    rated.n_excluded,
    cast(rated.n_predictions as bigint) as n_predictions,
    rated.label_coverage,
    rated.expected_label_coverage,
    rated.is_complete,
    rated.is_mature,
    case
        when rated.reason_code = 'not_judged_here' then 'not_judged' else 'insufficient_data'
    end as status,
    cast(case when rated.reason_code = 'not_judged_here' then 0 else 3 end as integer)
        as status_rank,
    rated.reason_code
from rated
