-- One row per pair of versions, window end, span and metric that is a mean of losses: both versions' value on the
-- requests that both scored, and the variance of their difference.
with

pairs as (
    select * from {{ ref('int_mlmon__version_pairs') }}
),

windows as (
    select
        pairs.monitor_key,
        pairs.champion_version,
        pairs.window_index,
        pairs.span_windows,
        errors.metric,
        cast(errors.n as {{ mlmon.type_double() }}) as n,
        errors.value,
        errors.other_value,
        errors.difference,
        errors.squares
    from pairs
    inner join {{ ref('int_mlmon__common_errors') }} as errors
        on
            pairs.monitor = errors.monitor
            and pairs.model_version = errors.model_version
            and pairs.champion_version = errors.other_version
            and errors.window_index between pairs.first_index and pairs.window_index
),

shifted as (
    select
        windows.*,
        difference - sum(n * difference) over (
            partition by monitor_key, champion_version, window_index, span_windows, metric
        ) / sum(n) over (
            partition by monitor_key, champion_version, window_index, span_windows, metric
        ) as shift
    from windows
),

merged as (
    select
        monitor_key,
        champion_version,
        window_index,
        span_windows,
        metric,
        sum(n) as n,
        sum(n * value) / sum(n) as value,
        sum(n * other_value) / sum(n) as other_value,
        sum(n * difference) / sum(n) as difference,
        case
            when sum(n) > 1
                then sum(squares + n * {{ mlmon.square('shift') }}) / (sum(n) - 1) / sum(n)
        end as variance
    from shifted
    group by monitor_key, champion_version, window_index, span_windows, metric
)

select
    merged.*,
    case
        when difference = 0 then 1.0
        when variance > 0 then {{ mlmon.normal_p('(difference / sqrt(variance))') }}
    end as p_value,
    'paired_normal' as method
from merged
