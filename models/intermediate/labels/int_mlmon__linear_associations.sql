-- One row per window end or reference of a monitor whose label is a number, and numeric feature: Pearson's correlation with the label.
with

cells as (
    select * from {{ ref('int_mlmon__association_cells') }}
    where n_paired > 0 and column_kind = 'numeric' and task in ('regression', 'ranking')
),

means as (
    select
        group_key,
        column_name,
        sum(n_paired) as n,
        sum(sum_z) / sum(n_paired) as mean_z,
        sum(sum_y) / sum(n_paired) as mean_y,
        sum(sum_z2) / sum(n_paired) as mean_z2,
        sum(sum_y2) / sum(n_paired) as mean_y2,
        sum(sum_zy) / sum(n_paired) as mean_zy,
        min(z_min) < max(z_max) and min(y_min) < max(y_max) as varies
    from cells
    group by group_key, column_name
),

moments as (
    select
        means.*,
        mean_z2 - {{ mlmon.squared('mean_z') }} as variance_z,
        mean_y2 - {{ mlmon.squared('mean_y') }} as variance_y,
        mean_zy - case
            when abs(mean_z) < 1e-150 or abs(mean_y) < 1e-150 then 0
            else mean_z * mean_y
        end as covariance
    from means
),

correlations as (
    select
        moments.*,
        case
            when
                varies
                and variance_z > mean_z2 * 1e-14
                and variance_y > mean_y2 * 1e-14
                then greatest(
                    -1, least(1, covariance / sqrt(variance_z) / sqrt(variance_y))
                )
        end as r
    from moments
)

select
    group_key,
    column_name,
    cast('pearson' as {{ dbt.type_string() }}) as method,
    cast('fisher' as {{ dbt.type_string() }}) as scale,
    cast(n as bigint) as n,
    r as value,
    {{ mlmon.fisher_z('r') }} as point,
    case when n > 3 then 1 / sqrt(n - 3) end as sd,
    cast(0 as {{ mlmon.type_double() }}) as curvature
from correlations
