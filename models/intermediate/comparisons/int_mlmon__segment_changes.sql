-- One row per monitor, version, closed window end, baseline, metric, segment column and value that either side has: its
-- mean and share of the labelled predictions now and in the baseline, and both means of the whole.
with

current_means as (
    select * from {{ ref('int_mlmon__segment_means') }}
),

baseline_means as (
    select
        ends.monitor_key,
        ends.window_index,
        ends.segment_name,
        ends.metric,
        cast('previous_span' as {{ dbt.type_string() }}) as baseline_kind,
        earlier.segment_value,
        earlier.value,
        earlier.n
    from (
        select distinct
            monitor_key,
            window_index,
            span_windows,
            segment_name,
            metric
        from current_means
    ) as ends
    inner join current_means as earlier
        on
            ends.monitor_key = earlier.monitor_key
            and ends.window_index - ends.span_windows = earlier.window_index
            and ends.span_windows = earlier.span_windows
            and ends.segment_name = earlier.segment_name
            and ends.metric = earlier.metric

    union all

    -- A given number says nothing of how the traffic was mixed: only a labelled reference does.
    select
        ends.monitor_key,
        ends.window_index,
        ends.segment_name,
        ends.metric,
        cast('reference' as {{ dbt.type_string() }}) as baseline_kind,
        baselines.segment_value,
        baselines.value,
        baselines.n
    from (
        select distinct
            monitor_key,
            monitor,
            model_version,
            window_index,
            segment_name,
            metric
        from current_means
    ) as ends
    inner join (
        select
            monitor,
            model_version,
            reference_key
        from {{ ref('int_mlmon__versions') }}
        union all
        -- All versions together have the one reference they share, if they do.
        select
            monitor,
            cast('all' as {{ dbt.type_string() }}) as model_version,
            case when count(distinct coalesce(reference_key, '')) = 1 then max(reference_key) end
                as reference_key
        from {{ ref('int_mlmon__versions') }}
        group by monitor
    ) as versions
        on
            ends.monitor = versions.monitor
            and ends.model_version = versions.model_version
    inner join {{ ref('int_mlmon__reference_metrics') }} as baselines
        on
            versions.reference_key = baselines.reference_key
            and ends.segment_name = baselines.segment_name
            and ends.metric = baselines.metric
            and baselines.class_label = 'all'
            and baselines.n > 0
),

sides as (
    select
        current_means.monitor_key,
        current_means.window_index,
        current_means.segment_name,
        current_means.metric,
        compared.baseline_kind,
        current_means.segment_value,
        current_means.value as current_value,
        current_means.n,
        cast(null as {{ mlmon.type_double() }}) as baseline_value,
        cast(null as bigint) as n_baseline
    from current_means
    inner join (
        select distinct
            monitor_key,
            window_index,
            segment_name,
            metric,
            baseline_kind
        from baseline_means
    ) as compared
        on
            current_means.monitor_key = compared.monitor_key
            and current_means.window_index = compared.window_index
            and current_means.segment_name = compared.segment_name
            and current_means.metric = compared.metric

    union all

    select
        monitor_key,
        window_index,
        segment_name,
        metric,
        baseline_kind,
        segment_value,
        cast(null as {{ mlmon.type_double() }}) as current_value,
        cast(null as bigint) as n,
        value as baseline_value,
        n as n_baseline
    from baseline_means
),

paired as (
    select
        monitor_key,
        window_index,
        segment_name,
        metric,
        baseline_kind,
        segment_value,
        max(current_value) as current_value,
        max(baseline_value) as baseline_value,
        coalesce(max(n), 0) as n,
        coalesce(max(n_baseline), 0) as n_baseline
    from sides
    group by monitor_key, window_index, segment_name, metric, baseline_kind, segment_value
),

totalled as (
    select
        paired.*,
        sum(n) over (
            partition by monitor_key, window_index, segment_name, metric, baseline_kind
        ) as n_whole,
        sum(n_baseline) over (
            partition by monitor_key, window_index, segment_name, metric, baseline_kind
        ) as n_baseline_whole
    from paired
),

shared as (
    select
        totalled.*,
        cast(n as {{ mlmon.type_double() }}) / n_whole as current_share,
        cast(n_baseline as {{ mlmon.type_double() }}) / n_baseline_whole as baseline_share
    from totalled
)

select
    shared.*,
    sum(current_share * coalesce(current_value, 0)) over (
        partition by monitor_key, window_index, segment_name, metric, baseline_kind
    ) as current_whole,
    sum(baseline_share * coalesce(baseline_value, 0)) over (
        partition by monitor_key, window_index, segment_name, metric, baseline_kind
    ) as baseline_whole
from shared
