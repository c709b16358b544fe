-- One row per window end or reference and feature that is a number beside a class, or categories beside a number: the
-- number's means by group as a correlation: point-biserial for a binary label, else the correlation ratio.
with

shares as (
    select * from {{ ref('int_mlmon__association_groups') }}
),

summed as (
    select
        group_key,
        column_name,
        task,
        max(total) as total,
        count(*) as n_groups,
        min(x_min) < max(x_max) as varies,
        case when max(total_variance) > 0 then least(1, sum(weight * between_share)) end as eta2,
        max(case when group_name = '1' then weight else 0 end) as positive_share,
        max(case when group_name = '1' then distance end)
        >= coalesce(max(case when group_name <> '1' then distance end), 0) as is_rising
    from shares
    group by group_key, column_name, task
),

-- The influence of a value on eta squared, its square expected under normal groups (docs/numbers.md).
influences as (
    select
        shares.group_key,
        shares.column_name,
        sum(
            shares.weight * (
                3 * summed.eta2 * summed.eta2 * shares.within_share * shares.within_share
                + (1 - summed.eta2) * (4 - 6 * summed.eta2)
                * shares.between_share * shares.within_share
                + (1 - summed.eta2) * (1 - summed.eta2)
                * shares.between_share * shares.between_share
            )
        ) as eta2_variance
    from shares
    inner join summed
        on
            shares.group_key = summed.group_key
            and shares.column_name = summed.column_name
    group by shares.group_key, shares.column_name
),

estimated as (
    select
        summed.*,
        influences.eta2_variance,
        case when varies and n_groups > 1 and eta2 is not null then sqrt(eta2) end as eta,
        case
            when total > n_groups then (total - 1) / (total - n_groups)
        end as correction
    from summed
    inner join influences
        on
            summed.group_key = influences.group_key
            and summed.column_name = influences.column_name
)

select
    group_key,
    column_name,
    cast('correlation_ratio' as {{ dbt.type_string() }}) as method,
    cast('root' as {{ dbt.type_string() }}) as scale,
    cast(total as bigint) as n,
    eta as value,
    case when eta is not null then 1 - (1 - eta2) * correction end as point,
    sqrt(
        greatest(eta2_variance, 0) / total + 2 * (n_groups - 1) / (total * total)
    ) * correction as sd,
    case when eta2 > 1e-12 then greatest(eta2_variance, 0) / eta2 else 4 end
    / total * correction * correction / 4 as curvature
from estimated
where task <> 'binary'

union all

select
    group_key,
    column_name,
    cast('point_biserial' as {{ dbt.type_string() }}) as method,
    cast('fisher' as {{ dbt.type_string() }}) as scale,
    cast(total as bigint) as n,
    case when is_rising then eta else -eta end as value,
    {{ mlmon.fisher_z('case when is_rising then eta else -eta end') }} as point,
    -- Tate 1954: a rare class makes the correlation less sure than two normal columns would.
    case
        when total > 3
            then sqrt(
                greatest(
                    1,
                    1 - 1.5 * eta2
                    + eta2 / nullif(4 * positive_share * (1 - positive_share), 0)
                ) / (total - 3)
            )
    end as sd,
    cast(0 as {{ mlmon.type_double() }}) as curvature
from estimated
where task = 'binary'
