-- One row per closed window end of a version ('all' for all versions together), span, segment and
-- label age: how many predictions the span has, how many of them have a label that old, and how
-- many would have one if its windows had what their peers had. It holds all that changes about a
-- stored metric while time passes and labels come. The expectation is given where half of the
-- span's windows have peers. The whole monitor is shown at every span, at the horizon and latest;
-- other ages, and segments, at the longest span. readiness says whether labels can be judged by
-- what they say: ready, immature (not all of them can have come) or labels_late (fewer came than
-- usual).
{%- set sums = [
    'n_windows', 'n_predictions', 'n_labelled', 'n_filled', 'n_expected', 'expected_predictions',
    'expected_labels',
] %}

with

spans as (
    select spans.*
    from {{ ref('int_mlmon__spans') }} as spans
    inner join {{ ref('int_mlmon__settings') }} as settings
        on
            spans.monitor = settings.monitor
            and settings.has_labels
),

coverage as (
    select
        label_coverage.*,
        n_predictions > 0 as is_filled,
        n_predictions > 0 and expected_label_coverage is not null as is_expected
    from {{ ref('int_mlmon__label_coverage') }} as label_coverage
),

series as (
    select
        coverage.series_key,
        coverage.monitor,
        coverage.model_version,
        coverage.segment_name,
        coverage.segment_value,
        coverage.label_age,
        coverage.label_age_days,
        coverage.is_horizon,
        lengths.span_windows,
        min(coverage.window_index) as first_index,
        max(coverage.window_index) as last_index
    from coverage
    inner join (
        select distinct
            monitor,
            span_windows,
            is_default_span
        from spans
    ) as lengths
        on coverage.monitor = lengths.monitor
    where
        lengths.is_default_span
        or (
            coverage.segment_name = 'all'
            and (coverage.is_horizon or coverage.label_age_days is null)
        )
    group by
        coverage.series_key, coverage.monitor, coverage.model_version, coverage.segment_name,
        coverage.segment_value, coverage.label_age, coverage.label_age_days,
        coverage.is_horizon, lengths.span_windows
),

-- A window enters a span at its own window end and leaves it as many windows later as the span is
-- long: at each window end the span holds the sum of what came and went. Joining each span to its
-- windows would take as many times longer as the longest span has windows.
moves as (
    {%- for n_lengths, sign in [(0, 1), (1, -1)] %}
    select
        series.series_key,
        series.span_windows,
        coverage.window_index + {{ n_lengths }} * series.span_windows as window_index,
        {{ sign }} as n_windows,
        {{ sign }} * coverage.n_predictions as n_predictions,
        {{ sign }} * coverage.n_labelled as n_labelled,
        case when coverage.is_filled then {{ sign }} else 0 end as n_filled,
        case when coverage.is_expected then {{ sign }} else 0 end as n_expected,
        case when coverage.is_expected then {{ sign }} * coverage.n_predictions else 0 end
            as expected_predictions,
        case
            when coverage.is_expected
                then {{ sign }} * coverage.expected_label_coverage * coverage.n_predictions
            else 0
        end as expected_labels
    from series
    inner join coverage
        on series.series_key = coverage.series_key

    union all
    {% endfor %}
    select
        series.series_key,
        series.span_windows,
        spans.window_index
        {%- for name in sums %},
        0 as {{ name }}
        {%- endfor %}
    from series
    inner join spans
        on
            series.monitor = spans.monitor
            and series.model_version = spans.model_version
            and series.span_windows = spans.span_windows
            and spans.window_index between series.first_index
            and series.last_index + series.span_windows - 1
),

moved as (
    select
        series_key,
        span_windows,
        window_index
        {%- for name in sums %},
        sum({{ name }}) as {{ name }}
        {%- endfor %}
    from moves
    group by series_key, span_windows, window_index
),

held as (
    select
        series_key,
        span_windows,
        window_index
        {%- for name in sums %},
        sum({{ name }}) over (
            partition by series_key, span_windows order by window_index
            rows between unbounded preceding and current row
        ) as {{ name }}
        {%- endfor %}
    from moved
),

covered as (
    select
        spans.window_key,
        spans.monitor_key,
        spans.monitor,
        spans.model_version,
        spans.window_index,
        spans.window_start,
        spans.window_end,
        spans.window_date,
        spans.span_windows,
        spans.is_default_span,
        spans.is_judged,
        series.segment_name,
        series.segment_value,
        series.label_age,
        series.label_age_days,
        series.is_horizon,
        cast(held.n_predictions as bigint) as n_predictions,
        cast(held.n_labelled as bigint) as n_labelled,
        cast(held.n_labelled as {{ mlmon.type_double() }}) / nullif(held.n_predictions, 0)
            as label_coverage,
        case
            when 2 * held.n_expected >= held.n_filled
                then
                    cast(held.expected_labels as {{ mlmon.type_double() }})
                    / nullif(held.expected_predictions, 0)
        end as expected_label_coverage,
        -- Labels at latest are complete where all of them can have come.
        bounds.data_through_at >= {{ mlmon.add_time(
            'spans.window_end', 'coalesce(series.label_age_days, settings.label_horizon_days)', 'day'
        ) }} as is_complete,
        bounds.data_through_at >= {{ mlmon.add_time(
            'spans.window_end', 'settings.label_horizon_days', 'day'
        ) }} as is_mature
    from held
    inner join series
        on
            held.series_key = series.series_key
            and held.span_windows = series.span_windows
    inner join spans
        on
            series.monitor = spans.monitor
            and series.model_version = spans.model_version
            and series.span_windows = spans.span_windows
            and held.window_index = spans.window_index
    inner join {{ ref('int_mlmon__settings') }} as settings
        on spans.monitor = settings.monitor
    inner join {{ ref('int_mlmon__log_bounds') }} as bounds
        on spans.monitor = bounds.monitor
    where held.n_windows > 0
)

select
    covered.*,
    case
        when not is_mature then 'immature'
        when {{ mlmon.are_labels_late() }} then 'labels_late'
        else 'ready'
    end as readiness
from covered
