-- One row per judged value of performance and earlier one that it may be held against: that of the span before, and that of
-- the version before at its newest complete window end. Neither where labels were late: a few that came early are no
-- baseline.
with

performance as (
    select * from {{ ref('int_mlmon__judged_performance') }}
),

ordered_versions as (
    select
        monitor,
        model_version,
        lag(model_version) over (
            partition by monitor order by first_index, last_index, model_version
        ) as previous_version
    from {{ ref('int_mlmon__versions') }}
),

keyed as (
    select
        performance.monitor_key,
        performance.monitor,
        performance.model_version,
        performance.window_index,
        performance.span_windows,
        performance.segment_name,
        performance.segment_value,
        performance.metric,
        ordered_versions.previous_version
    from performance
    left join ordered_versions
        on
            performance.monitor = ordered_versions.monitor
            and performance.model_version = ordered_versions.model_version
),

-- Each value asks its version's predecessor for the newest complete window end; questions and answers in one order.
asked as (
    select
        monitor,
        model_version,
        span_windows,
        segment_name,
        segment_value,
        metric,
        window_index as at_index,
        window_index as answer,
        cast(null as {{ dbt.type_string() }}) as asked_by
    from performance
    where value is not null and is_complete and not {{ mlmon.are_labels_late() }}

    union all

    select
        monitor,
        previous_version as model_version,
        span_windows,
        segment_name,
        segment_value,
        metric,
        window_index as at_index,
        null as answer,
        monitor_key as asked_by
    from keyed
    where previous_version is not null
),

answered as (
    select
        asked.*,
        max(answer) over (
            partition by
                monitor, model_version, span_windows, segment_name, segment_value, metric
            order by at_index
            range between unbounded preceding and current row
        ) as earlier_index
    from asked
),

earlier_ends as (
    select * from answered
    where asked_by is not null and earlier_index is not null
)

select
    keyed.monitor_key,
    keyed.window_index,
    keyed.span_windows,
    keyed.segment_name,
    keyed.segment_value,
    keyed.metric,
    cast('previous_span' as {{ dbt.type_string() }}) as configured_kind,
    cast('previous_span' as {{ dbt.type_string() }}) as baseline_kind,
    earlier.value,
    earlier.value_low,
    earlier.value_high,
    earlier.standard_error * earlier.standard_error as variance,
    earlier.n
from keyed
inner join performance as earlier
    on
        keyed.monitor_key = earlier.monitor_key
        and keyed.window_index - keyed.span_windows = earlier.window_index
        and keyed.span_windows = earlier.span_windows
        and keyed.segment_name = earlier.segment_name
        and keyed.segment_value = earlier.segment_value
        and keyed.metric = earlier.metric
where earlier.value is not null and not {{ mlmon.are_labels_late('earlier') }}

union all

select
    keyed.monitor_key,
    keyed.window_index,
    keyed.span_windows,
    keyed.segment_name,
    keyed.segment_value,
    keyed.metric,
    cast('previous_version' as {{ dbt.type_string() }}) as configured_kind,
    cast('previous_version' as {{ dbt.type_string() }}) as baseline_kind,
    earlier.value,
    earlier.value_low,
    earlier.value_high,
    earlier.standard_error * earlier.standard_error as variance,
    earlier.n
from keyed
inner join earlier_ends
    on
        keyed.monitor_key = earlier_ends.asked_by
        and keyed.window_index = earlier_ends.at_index
        and keyed.span_windows = earlier_ends.span_windows
        and keyed.segment_name = earlier_ends.segment_name
        and keyed.segment_value = earlier_ends.segment_value
        and keyed.metric = earlier_ends.metric
inner join performance as earlier
    on
        keyed.monitor = earlier.monitor
        and keyed.previous_version = earlier.model_version
        and keyed.span_windows = earlier.span_windows
        and keyed.segment_name = earlier.segment_name
        and keyed.segment_value = earlier.segment_value
        and keyed.metric = earlier.metric
        and earlier_ends.earlier_index = earlier.window_index
