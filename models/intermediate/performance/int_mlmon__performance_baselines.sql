-- One row per judged value of performance and baseline that there is for it: the reference or what is given, the
-- span before, and the version before at its newest complete window end. The monitor's own kind always has a row,
-- without a value where there is none.
with

keyed as (
    select * from {{ ref('int_mlmon__judged_performance') }}
),

settings as (
    select * from {{ ref('int_mlmon__settings') }}
),

found as (
    select
        keyed.monitor_key,
        keyed.window_index,
        keyed.span_windows,
        keyed.segment_name,
        keyed.segment_value,
        keyed.metric,
        cast('reference' as {{ dbt.type_string() }}) as configured_kind,
        baselines.baseline_kind,
        baselines.value,
        baselines.value_low,
        baselines.value_high,
        baselines.variance,
        baselines.n
    from keyed
    inner join {{ ref('int_mlmon__baselines') }} as baselines
        on
            keyed.monitor = baselines.monitor
            and keyed.model_version = baselines.model_version
            and keyed.segment_name = baselines.segment_name
            and keyed.segment_value = baselines.segment_value
            and keyed.metric = baselines.metric
            and baselines.class_label = 'all'

    union all

    select
        monitor_key,
        window_index,
        span_windows,
        segment_name,
        segment_value,
        metric,
        configured_kind,
        baseline_kind,
        value,
        value_low,
        value_high,
        variance,
        n
    from {{ ref('int_mlmon__earlier_performance') }}
)

select
    keyed.monitor_key,
    keyed.window_index,
    keyed.span_windows,
    keyed.segment_name,
    keyed.segment_value,
    keyed.metric,
    kinds.baseline_kind = settings.baseline as is_deciding,
    kinds.baseline_kind as baseline_asked,
    coalesce(found.baseline_kind, 'none') as baseline_kind,
    found.value,
    found.value_low,
    found.value_high,
    found.variance,
    found.n
from keyed
inner join settings
    on keyed.monitor = settings.monitor
cross join ({{ mlmon.baseline_kind_settings() }}) as kinds
left join found
    on
        keyed.monitor_key = found.monitor_key
        and keyed.window_index = found.window_index
        and keyed.span_windows = found.span_windows
        and keyed.segment_name = found.segment_name
        and keyed.segment_value = found.segment_value
        and keyed.metric = found.metric
        and kinds.baseline_kind = found.configured_kind
where found.value is not null or kinds.baseline_kind = settings.baseline
