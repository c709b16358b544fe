-- One row per monitor with labels, version, closed window and span: whether what its labels say at the horizon can be
-- judged. readiness: ready, immature (not all of them can have come) or labels_late (fewer came than usual).
with

spans as (
    select * from {{ ref('int_mlmon__spans') }}
),

settings as (
    {{ mlmon.label_settings() }}
),

bounds as (
    select * from {{ ref('int_mlmon__log_bounds') }}
),

coverage as (
    select * from {{ ref('int_mlmon__label_coverage') }}
    where is_horizon and segment_name = 'all' and n_predictions > 0
),

-- What coverage the span would have if its windows had what their peers had; told where half of it has peers.
covered as (
    select
        spans.window_key,
        spans.span_windows,
        cast(sum(coverage.n_labelled) as {{ mlmon.type_double() }})
        / sum(coverage.n_predictions) as label_coverage,
        case
            when 2 * count(coverage.expected_label_coverage) >= count(*)
                then
                    sum(coverage.expected_label_coverage * coverage.n_predictions)
                    / sum(
                        case
                            when coverage.expected_label_coverage is not null
                                then coverage.n_predictions
                        end
                    )
        end as expected_label_coverage
    from spans
    inner join coverage
        on
            spans.monitor = coverage.monitor
            and spans.model_version = coverage.model_version
            and coverage.window_index between spans.first_index and spans.window_index
    group by spans.window_key, spans.span_windows
)

select
    spans.window_key,
    spans.span_windows,
    settings.label_age,
    settings.label_kind,
    settings.smoothing,
    covered.label_coverage,
    covered.expected_label_coverage,
    case
        when
            bounds.data_through_at
            < {{ mlmon.add_time('spans.window_end', 'settings.label_horizon_days', 'day') }}
            then 'immature'
        when {{ mlmon.are_labels_late('covered') }} then 'labels_late'
        else 'ready'
    end as readiness
from spans
inner join settings
    on spans.monitor = settings.monitor
inner join bounds
    on spans.monitor = bounds.monitor
left join covered
    on
        spans.window_key = covered.window_key
        and spans.span_windows = covered.span_windows
