-- One row per monitor, version, closed window end, baseline, metric, segment column and value, and one of the column's
-- 'all': how much of the metric's change came from traffic that moved between segments (mix), and how much from
-- segments that changed themselves (within). The parts add up to the change of the whole.
with

changes as (
    select * from {{ ref('int_mlmon__segment_changes') }}
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
    from {{ ref('int_mlmon__segment_means') }}
),

-- A value that is new or gone has one mean; it is taken for both sides, so that all it does is mix.
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
