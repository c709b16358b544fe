-- One row per monitor, version, closed window end, span, segment, metric, class and label age: the metric of all
-- labelled predictions of the span, with its interval, coverage and maturity. Not a verdict: that is
-- fct_mlmon__degradation.
{{ config(
    materialized='incremental',
    incremental_strategy='mlmon_windows',
    unique_key='window_key',
    on_schema_change='append_new_columns',
    meta={'stale': 'int_mlmon__stale_performance_ends'},
    post_hook="{{ mlmon.record_windows('int_mlmon__stale_performance_ends') }}",
) }}

with

window_sets as (
    select * from {{ ref('int_mlmon__window_sets') }}
    where reference_key is null
),

settings as (
    select * from {{ ref('int_mlmon__settings') }}
),

log_bounds as (
    select * from {{ ref('int_mlmon__log_bounds') }}
),

measured as (
    {{ mlmon.metric_values() }}
),

-- The predictions of a window set and segment, how many have a label at that age, and how many would have if its windows
-- had what their peers had; told where half of its windows have peers.
covered as (
    select
        window_sets.window_key,
        window_sets.span_windows,
        window_sets.label_age,
        coverage.segment_name,
        coverage.segment_value,
        sum(coverage.n_predictions) as n_predictions,
        sum(coverage.n_labelled) as n_labelled,
        cast(sum(coverage.n_labelled) as {{ mlmon.type_double() }})
        / nullif(sum(coverage.n_predictions), 0) as label_coverage,
        case
            when
                2 * count(
                    case when coverage.n_predictions > 0 then coverage.expected_label_coverage end
                ) >= count(case when coverage.n_predictions > 0 then 1 end)
                then
                    sum(coverage.expected_label_coverage * coverage.n_predictions)
                    / nullif(sum(
                        case
                            when coverage.expected_label_coverage is not null
                                then coverage.n_predictions
                        end
                    ), 0)
        end as expected_label_coverage
    from window_sets
    inner join {{ ref('int_mlmon__label_coverage') }} as coverage
        on
            window_sets.monitor = coverage.monitor
            and window_sets.model_version = coverage.model_version
            and window_sets.label_age = coverage.label_age
            and coverage.window_index between window_sets.first_index and window_sets.last_index
    where window_sets.is_default_span or coverage.segment_name = 'all'
    group by
        window_sets.window_key, window_sets.span_windows, window_sets.label_age,
        coverage.segment_name, coverage.segment_value
),

places as (
    select
        window_sets.*,
        covered.segment_name,
        covered.segment_value,
        covered.n_predictions,
        covered.n_labelled,
        covered.label_coverage,
        covered.expected_label_coverage
    from window_sets
    inner join covered
        on
            window_sets.window_key = covered.window_key
            and window_sets.span_windows = covered.span_windows
            and window_sets.label_age = covered.label_age
),

-- A metric without any label yet has a row, too; those of single classes only where the class occurs.
wanted as (
    select
        places.*,
        metrics.metric,
        cast('all' as {{ dbt.type_string() }}) as class_label
    from places
    inner join ({{ mlmon.computed_metric_settings() }}) as metrics
        on places.monitor = metrics.monitor

    union all

    select
        places.*,
        measured.metric,
        measured.class_label
    from places
    inner join measured
        on
            places.window_set_number = measured.window_set_number
            and places.label_age = measured.label_age
            and places.segment_name = measured.segment_name
            and places.segment_value = measured.segment_value
    where measured.class_label <> 'all'
),

rated as (
    select
        wanted.*,
        measured.value,
        measured.value_low,
        measured.value_high,
        measured.variance,
        measured.interval_method,
        coalesce(measured.n, 0) as n,
        coalesce(measured.n_excluded, 0) as n_excluded,
        case
            when wanted.label_age_days is null then true
            else log_bounds.data_through_at >= {{ mlmon.add_time(
                'wanted.window_end', 'wanted.label_age_days', 'day'
            ) }}
        end as is_complete,
        log_bounds.data_through_at >= {{ mlmon.add_time(
            'wanted.window_end', 'settings.label_horizon_days', 'day'
        ) }} as is_mature,
        case
            when wanted.n_labelled = 0 then 'no_labels'
            when measured.value is null then 'undefined'
            else 'not_judged_here'
        end as reason_code
    from wanted
    inner join settings
        on wanted.monitor = settings.monitor
    inner join log_bounds
        on wanted.monitor = log_bounds.monitor
    left join measured
        on
            wanted.window_set_number = measured.window_set_number
            and wanted.label_age = measured.label_age
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
