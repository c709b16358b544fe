-- One row per monitor, version, closed window end, span, segment, metric and label age: the metric of the summed
-- confusion counts, with its interval, coverage and maturity. Not a verdict: that is fct_mlmon__degradation.
with

confusion as (
    select * from {{ ref('int_mlmon__span_confusion') }}
),

log_bounds as (
    select * from {{ ref('int_mlmon__log_bounds') }}
),

settings as (
    select * from {{ ref('int_mlmon__settings') }}
),

coverage as (
    select * from {{ ref('int_mlmon__label_coverage') }}
),

-- What coverage the span would have if its windows had what their peers had; told where half of it has peers.
expected_coverage as (
    select
        confusion.monitor_key,
        confusion.window_index,
        confusion.span_windows,
        confusion.segment_name,
        confusion.segment_value,
        confusion.label_age,
        case
            when 2 * count(coverage.expected_label_coverage) >= count(*)
                then
                    sum(coverage.expected_label_coverage * coverage.n_predictions)
                    / nullif(sum(
                        case
                            when coverage.expected_label_coverage is not null
                                then coverage.n_predictions
                        end
                    ), 0)
        end as expected_label_coverage
    from confusion
    inner join coverage
        on
            confusion.monitor = coverage.monitor
            and confusion.model_version = coverage.model_version
            and confusion.segment_name = coverage.segment_name
            and confusion.segment_value = coverage.segment_value
            and confusion.label_age = coverage.label_age
            and coverage.window_index between confusion.first_index and confusion.window_index
            and coverage.n_predictions > 0
    group by
        confusion.monitor_key, confusion.window_index, confusion.span_windows,
        confusion.segment_name, confusion.segment_value, confusion.label_age
),

metrics as (
    {{ mlmon.binary_metrics('confusion', [
        'monitor_key', 'monitor', 'model_version', 'window_index', 'window_start',
        'window_end', 'window_date', 'span_windows', 'is_judged', 'segment_name',
        'segment_value', 'label_age', 'label_age_days', 'n_predictions', 'n_labelled',
        'n_excluded',
    ]) }}
),

covered as (
    select
        metrics.*,
        cast(metrics.n_labelled as {{ mlmon.type_double() }})
        / nullif(metrics.n_predictions, 0) as label_coverage,
        expected_coverage.expected_label_coverage,
        case
            when metrics.label_age_days is null then true
            else log_bounds.data_through_at >= {{ mlmon.add_time(
                'metrics.window_end', 'metrics.label_age_days', 'day'
            ) }}
        end as is_complete,
        log_bounds.data_through_at >= {{ mlmon.add_time(
            'metrics.window_end', 'settings.label_horizon_days', 'day'
        ) }} as is_mature
    from metrics
    inner join log_bounds
        on metrics.monitor = log_bounds.monitor
    inner join settings
        on metrics.monitor = settings.monitor
    left join expected_coverage
        on
            metrics.monitor_key = expected_coverage.monitor_key
            and metrics.window_index = expected_coverage.window_index
            and metrics.span_windows = expected_coverage.span_windows
            and metrics.label_age = expected_coverage.label_age
            and metrics.segment_name = expected_coverage.segment_name
            and metrics.segment_value = expected_coverage.segment_value
),

rated as (
    select
        covered.*,
        case
            when n_labelled = 0 then 'no_labels'
            when value is null then 'undefined'
            else 'not_judged_here'
        end as reason_code
    from covered
)

select
    {{ mlmon.window_columns('rated') }},
    rated.segment_name,
    rated.segment_value,
    rated.metric,
    cast('all' as {{ dbt.type_string() }}) as class_label,
    rated.label_age,
    cast(rated.label_age_days as integer) as label_age_days,
    rated.value,
    rated.value_low,
    rated.value_high,
    case when rated.value_low is not null then rated.interval_method end as interval_method,
    rated.n,
    cast(rated.n_excluded as bigint) as n_excluded,
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
