-- One row per monitor, version, closed window end, span, segment and label age of a binary monitor: the four
-- confusion counts, predictions and labels of the span. Whole monitor: every span at the horizon and latest;
-- segments and other ages at the default span.
with

spans as (
    select * from {{ ref('int_mlmon__version_spans') }}
),

label_ages as (
    {{ mlmon.label_age_settings() }}
),

settings as (
    select * from {{ ref('int_mlmon__settings') }}
),

counts as (
    select * from {{ ref('int_mlmon__confusion_counts') }}
),

requests as (
    select
        monitor,
        model_version,
        window_index,
        segment_name,
        segment_value,
        n_requests - n_errors as n_predictions
    from {{ ref('int_mlmon__operation_sums') }}
),

wanted as (
    select
        spans.*,
        label_ages.label_age,
        label_ages.label_age_days,
        label_ages.is_horizon or label_ages.label_age_days is null as is_shown_everywhere
    from spans
    inner join settings
        on spans.monitor = settings.monitor and settings.task = 'binary'
    inner join label_ages
        on spans.monitor = label_ages.monitor
),

span_requests as (
    select
        wanted.monitor_key,
        wanted.window_index,
        wanted.span_windows,
        wanted.label_age,
        requests.segment_name,
        requests.segment_value,
        sum(requests.n_predictions) as n_predictions
    from wanted
    inner join requests
        on
            wanted.monitor = requests.monitor
            and wanted.model_version in ('all', requests.model_version)
            and requests.window_index between wanted.first_index and wanted.window_index
    where
        wanted.is_default_span
        or (requests.segment_name = 'all' and wanted.is_shown_everywhere)
    group by
        wanted.monitor_key, wanted.window_index, wanted.span_windows, wanted.label_age,
        requests.segment_name, requests.segment_value
),

span_counts as (
    select
        wanted.monitor_key,
        wanted.window_index,
        wanted.span_windows,
        wanted.label_age,
        counts.segment_name,
        counts.segment_value,
        sum(counts.n) as n_labelled,
        sum(case when counts.predicted_class is null then counts.n else 0 end) as n_excluded,
        {{ mlmon.confusion_sums('counts') }}
    from wanted
    inner join counts
        on
            wanted.monitor = counts.monitor
            and wanted.model_version in ('all', counts.model_version)
            and wanted.label_age = counts.label_age
            and counts.window_index between wanted.first_index and wanted.window_index
    where
        wanted.is_default_span
        or (counts.segment_name = 'all' and wanted.is_shown_everywhere)
    group by
        wanted.monitor_key, wanted.window_index, wanted.span_windows, wanted.label_age,
        counts.segment_name, counts.segment_value
)

select
    wanted.monitor_key,
    wanted.monitor,
    wanted.model_version,
    wanted.window_index,
    wanted.first_index,
    wanted.window_start,
    wanted.window_end,
    wanted.window_date,
    wanted.span_windows,
    wanted.is_default_span,
    wanted.is_judged,
    wanted.label_age,
    wanted.label_age_days,
    span_requests.segment_name,
    span_requests.segment_value,
    span_requests.n_predictions,
    coalesce(span_counts.n_labelled, 0) as n_labelled,
    coalesce(span_counts.n_excluded, 0) as n_excluded,
    coalesce(span_counts.tp, 0) as tp,
    coalesce(span_counts.fp, 0) as fp,
    coalesce(span_counts.fn, 0) as fn,
    coalesce(span_counts.tn, 0) as tn
from wanted
inner join span_requests
    on
        wanted.monitor_key = span_requests.monitor_key
        and wanted.window_index = span_requests.window_index
        and wanted.span_windows = span_requests.span_windows
        and wanted.label_age = span_requests.label_age
left join span_counts
    on
        wanted.monitor_key = span_counts.monitor_key
        and wanted.window_index = span_counts.window_index
        and wanted.span_windows = span_counts.span_windows
        and wanted.label_age = span_counts.label_age
        and span_requests.segment_name = span_counts.segment_name
        and span_requests.segment_value = span_counts.segment_value
