-- One row per monitor, version, closed window end, baseline, metric, segment column and value (and
-- 'all' for the whole column): how much of the metric's change came from traffic that moved between
-- segments (mix), and how much from segments that changed themselves (within). It tells whether a
-- model got worse or only got harder requests. The parts add up to the change of the whole.
{{ config(enabled=mlmon.is_asked_for('decomposition')) }}

with

-- Metrics that are a mean over labelled predictions, at the horizon age and the longest span.
current_means as (
    select
        performance.monitor_key,
        performance.monitor,
        performance.model_version,
        spans.window_index,
        performance.window_start,
        performance.window_end,
        performance.window_date,
        performance.span_windows,
        performance.segment_name,
        performance.segment_value,
        performance.metric,
        performance.label_age,
        performance.label_age_days,
        performance.value,
        performance.n,
        performance.is_mature
    from {{ ref('fct_mlmon__performance') }} as performance
    inner join ({{ mlmon.label_age_settings() }}) as label_ages
        on
            performance.monitor = label_ages.monitor
            and performance.label_age = label_ages.label_age
            and label_ages.is_horizon
    inner join {{ ref('int_mlmon__spans') }} as spans
        on
            performance.monitor_key = spans.monitor_key
            and performance.window_end = spans.window_end
            and performance.span_windows = spans.span_windows
            and spans.is_default_span
    where
        {{ mlmon.is_of_area('decomposition', 'performance.monitor') }}
        and performance.segment_name <> 'all'
        and performance.metric in ('{{ mlmon.additive_metrics() | join("', '") }}')
        and performance.class_label = 'all'
        and performance.value is not null
        and performance.n > 0
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
    inner join ({{ mlmon.version_references() }}) as versions
        on
            ends.monitor = versions.monitor
            and ends.model_version = versions.model_version
    inner join ({{ mlmon.metric_values() }}) as baselines
        on
            versions.reference_key = baselines.reference_key
            and ends.segment_name = baselines.segment_name
            and ends.metric = baselines.metric
            and baselines.class_label = 'all'
            and baselines.value is not null
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
),

changes as (
    select
        shared.*,
        sum(current_share * coalesce(current_value, 0)) over (
            partition by monitor_key, window_index, segment_name, metric, baseline_kind
        ) as current_whole,
        sum(baseline_share * coalesce(baseline_value, 0)) over (
            partition by monitor_key, window_index, segment_name, metric, baseline_kind
        ) as baseline_whole
    from shared
),

ends as (
    select distinct
        monitor_key,
        monitor,
        model_version,
        window_index,
        window_start,
        window_end,
        window_date,
        span_windows,
        label_age,
        label_age_days,
        is_mature
    from current_means
),

-- A value that is new or gone has one mean, which is taken for both sides: it changes the mix
-- alone.
filled as (
    select
        changes.*,
        coalesce(current_value, baseline_value) as mean_now,
        coalesce(baseline_value, current_value) as mean_then
    from changes
),

split as (
    select
        filled.*,
        (current_share - baseline_share)
        * ((mean_now + mean_then) / 2 - (current_whole + baseline_whole) / 2) as mix_effect,
        (current_share + baseline_share) / 2 * (mean_now - mean_then) as within_effect
    from filled
),

parts as (
    select
        monitor_key,
        window_index,
        segment_name,
        segment_value,
        metric,
        baseline_kind,
        current_share,
        baseline_share,
        current_value,
        baseline_value,
        mix_effect,
        within_effect,
        mix_effect + within_effect as total_change,
        n,
        n_baseline
    from split

    union all

    select
        monitor_key,
        window_index,
        segment_name,
        cast('all' as {{ dbt.type_string() }}) as segment_value,
        metric,
        baseline_kind,
        1.0 as current_share,
        1.0 as baseline_share,
        max(current_whole) as current_value,
        max(baseline_whole) as baseline_value,
        sum(mix_effect) as mix_effect,
        sum(within_effect) as within_effect,
        max(current_whole) - max(baseline_whole) as total_change,
        sum(n) as n,
        sum(n_baseline) as n_baseline
    from split
    group by monitor_key, window_index, segment_name, metric, baseline_kind
)

select
    {{ mlmon.window_columns('ends') }},
    parts.segment_name,
    parts.segment_value,
    parts.metric,
    ends.label_age,
    ends.label_age_days,
    parts.baseline_kind,
    cast(parts.current_share as {{ mlmon.type_double() }}) as current_share,
    cast(parts.baseline_share as {{ mlmon.type_double() }}) as baseline_share,
    parts.current_value,
    parts.baseline_value,
    parts.mix_effect,
    parts.within_effect,
    parts.total_change,
    cast(parts.n as bigint) as n,
    cast(parts.n_baseline as bigint) as n_baseline,
    ends.is_mature
from parts
inner join ends
    on
        parts.monitor_key = ends.monitor_key
        and parts.window_index = ends.window_index
