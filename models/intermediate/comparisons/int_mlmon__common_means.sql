-- One row per pair of versions, window end, span and metric that is a mean of losses, or its root: both versions' value
-- on the requests that both scored, and the variance of their difference.
{%- set keys = 'monitor_key, champion_version, window_index, span_windows' %}
{%- set parts = {'value': 'own_squares', 'other_value': 'other_squares', 'difference': 'squares'} %}

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
        errors.own_squares,
        errors.other_squares,
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
        windows.*
        {%- for mean in parts %},
        {{ mean }} - sum(n * {{ mean }}) over (partition by {{ keys }}, metric)
        / sum(n) over (partition by {{ keys }}, metric) as {{ mean }}_shift
        {%- endfor %}
    from windows
),

merged as (
    select
        {{ keys }},
        metric,
        sum(n) as n
        {%- for mean, squares in parts.items() %},
        sum(n * {{ mean }}) / sum(n) as {{ mean }},
        case
            when sum(n) > 1
                then
                    sum({{ squares }} + n * {{ mlmon.square(mean ~ '_shift') }})
                    / (sum(n) - 1) / sum(n)
        end as {{ mean }}_variance
        {%- endfor %}
    from shifted
    group by {{ keys }}, metric
),

-- How the root of each mean moves with it.
roots as (
    select
        merged.*,
        0.5 / nullif(sqrt(value), 0) as slope,
        0.5 / nullif(sqrt(other_value), 0) as other_slope
    from merged
    where metric = 'mse'
),

compared as (
    select
        {{ keys }},
        metric,
        n,
        value,
        other_value,
        difference,
        difference_variance as variance,
        'paired_normal' as method
    from merged

    union all

    select
        {{ keys }},
        'rmse' as metric,
        n,
        sqrt(value) as value,
        sqrt(other_value) as other_value,
        sqrt(value) - sqrt(other_value) as difference,
        -- That of slope * loss - other_slope * other_loss, in terms that stay exact where both slopes are alike.
        slope * other_slope * difference_variance
        + (slope - other_slope) * (slope * value_variance - other_slope * other_value_variance)
            as variance,
        'delta' as method
    from roots
)

select
    compared.*,
    case
        when difference = 0 then 1.0
        when variance > 0 then {{ mlmon.normal_p('(difference / sqrt(variance))') }}
    end as p_value
from compared
