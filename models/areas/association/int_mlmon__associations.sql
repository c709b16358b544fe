-- One row per stale window end or reference it is compared with, feature and method: the
-- association with the label. fct_mlmon__label_association compares those of a window end with the
-- reference's. point, sd and curvature are its unbiased estimate and what its interval is made of,
-- on the scale where that is taken: plain, root (of the square) or fisher (atanh). The formulas are
-- those of docs/numbers.md.
{{ config(enabled=mlmon.is_asked_for('association')) }}
{%- set text = dbt.type_string() %}

with

cells as (
    select * from {{ ref('int_mlmon__association_cells') }}
),

-- Mutual information (nats, with the bin of missing values) and, for categories with a class,
-- Cramer's V (without it), each with an estimate free of its small-sample bias (point) and the
-- standard deviation of that, by the delta method over the cells' multinomial shares.
scoped as (
    select
        cells.*,
        methods.method
    from cells
    inner join (
        select 'mutual_information' as method
        union all
        select 'cramers_v' as method
    ) as methods
        on
            methods.method = 'mutual_information'
            or (
                cells.column_kind = 'categorical'
                and cells.task not in ('regression', 'ranking')
                and not cells.is_missing
            )
    where cells.n > 0
),

margins as (
    select
        scoped.*,
        sum(n) over (partition by method, group_key, column_name) as total,
        sum(n) over (partition by method, group_key, column_name, bin_index) as n_bin,
        sum(n) over (partition by method, group_key, column_name, label_bin) as n_label
    from scoped
),

-- How much more often a bin and a label meet than independence would have them.
lifted as (
    select
        margins.*,
        n / total as share,
        n * total / (n_bin * n_label) as lift
    from margins
),

influences as (
    select
        lifted.*,
        2 * lift
        - sum(n / n_bin * lift) over (partition by method, group_key, column_name, bin_index)
        - sum(n / n_label * lift) over (partition by method, group_key, column_name, label_bin)
            as influence
    from lifted
),

binned_sums as (
    select
        method,
        group_key,
        column_name,
        max(total) as total,
        count(distinct bin_index) as n_bins,
        count(distinct label_bin) as n_labels,
        sum(share * ln(lift)) as information,
        sum(share * ln(lift) * ln(lift)) as squared_information,
        sum(share * lift) - 1 as phi2,
        sum(share * influence * influence) as phi2_variance
    from influences
    group by method, group_key, column_name
),

binned as (
    select
        binned_sums.*,
        (n_bins - 1) * (n_labels - 1) as degrees_of_freedom,
        -- The variance of phi squared is proportional to it; under independence it is 4 / n.
        case when phi2 > 1e-12 then phi2_variance / phi2 / total else 4 / total end as phi2_slope,
        case
            when information > 1e-12
                then
                    greatest(squared_information - information * information, 0)
                    / information / total
            else 2 / total
        end as information_slope,
        -- Bergsma 2013: the table's numbers of rows and columns are corrected, too.
        least(
            n_bins - (n_bins - 1) * (n_bins - 1) / nullif(total - 1, 0),
            n_labels - (n_labels - 1) * (n_labels - 1) / nullif(total - 1, 0)
        ) - 1 as corrected_side
    from binned_sums
),

-- A number with a class, or categories with a number: the means of the number by group as a
-- correlation, point-biserial for a binary label, else the correlation ratio. Each group has a
-- weight, and its shares of the whole variance, by the distance of its mean and by its own
-- variance.
by_group as (
    select
        group_key,
        column_name,
        task,
        case when column_kind = 'numeric' then label_bin else cast(bin_index as {{ text }}) end
            as group_name,
        sum(n_paired) as n,
        sum(case when column_kind = 'numeric' then sum_z else sum_y end) / sum(n_paired)
            as group_mean,
        sum(case when column_kind = 'numeric' then sum_z2 else sum_y2 end) / sum(n_paired)
            as mean_square,
        min(case when column_kind = 'numeric' then z_min else y_min end) as x_min,
        max(case when column_kind = 'numeric' then z_max else y_max end) as x_max
    from cells
    where n_paired > 0 and (column_kind = 'numeric') <> (task in ('regression', 'ranking'))
    group by group_key, column_name, task, group_name
),

centred as (
    select
        by_group.*,
        sum(n) over (partition by group_key, column_name) as total,
        group_mean - sum(n * group_mean) over (partition by group_key, column_name)
        / sum(n) over (partition by group_key, column_name) as distance,
        case
            when x_min = x_max then 0
            else greatest(mean_square - {{ mlmon.squared('group_mean') }}, 0)
        end as variance
    from by_group
),

spread as (
    select
        centred.*,
        sum(n / total * (variance + {{ mlmon.squared('distance') }}))
            over (partition by group_key, column_name) as total_variance
    from centred
),

shares as (
    select
        spread.*,
        n / total as weight,
        case when total_variance > 0 then {{ mlmon.variance_share(
            mlmon.squared('distance'), 'total_variance'
        ) }} end as between_share,
        case when total_variance > 0 then {{ mlmon.variance_share(
            'variance', 'total_variance'
        ) }} end as within_share
    from spread
),

-- Eta squared: the share of the variance that lies between the groups.
ratios as (
    select
        shares.*,
        case
            when total_variance > 0
                then least(1, sum(weight * between_share) over (
                    partition by group_key, column_name
                ))
        end as eta2
    from shares
),

-- The influence of a value on eta squared, its square expected under normal groups, summed over the
-- groups.
group_sums as (
    select
        group_key,
        column_name,
        task,
        max(total) as total,
        count(*) as n_groups,
        min(x_min) < max(x_max) as varies,
        max(eta2) as eta2,
        sum(
            weight * (
                3 * eta2 * eta2 * within_share * within_share
                + (1 - eta2) * (4 - 6 * eta2) * between_share * within_share
                + (1 - eta2) * (1 - eta2) * between_share * between_share
            )
        ) as eta2_variance,
        max(case when group_name = '1' then weight else 0 end) as positive_share,
        max(case when group_name = '1' then distance end)
        >= coalesce(max(case when group_name <> '1' then distance end), 0) as is_rising
    from ratios
    group by group_key, column_name, task
),

grouped as (
    select
        group_sums.*,
        case when varies and n_groups > 1 and eta2 is not null then sqrt(eta2) end as eta,
        case when total > n_groups then (total - 1) / (total - n_groups) end as correction
    from group_sums
),

-- A number with a number: Pearson's correlation.
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
    where n_paired > 0 and column_kind = 'numeric' and task in ('regression', 'ranking')
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
    cast(method as {{ text }}) as method,
    cast('plain' as {{ text }}) as scale,
    cast(total as bigint) as n,
    case when n_labels > 1 then greatest(information, 0) end as value,
    case when n_labels > 1 then information - degrees_of_freedom / (2 * total) end as point,
    sqrt(
        greatest(squared_information - information * information, 0) / total
        + degrees_of_freedom / (2 * total * total)
    ) as sd,
    information_slope / 4 as curvature
from binned
where method = 'mutual_information'

union all

select
    group_key,
    column_name,
    cast(method as {{ text }}) as method,
    cast('root' as {{ text }}) as scale,
    cast(total as bigint) as n,
    case
        when n_bins > 1 and n_labels > 1
            then sqrt(least(1, greatest(phi2, 0) / (least(n_bins, n_labels) - 1)))
    end as value,
    case
        when n_bins > 1 and n_labels > 1 and corrected_side > 1e-9
            then (phi2 - degrees_of_freedom / (total - 1)) / corrected_side
    end as point,
    case
        when corrected_side > 1e-9
            then sqrt(
                phi2_variance / total + 2 * degrees_of_freedom / (total * total)
            ) / corrected_side
    end as sd,
    case when corrected_side > 1e-9 then phi2_slope / corrected_side / 4 end as curvature
from binned
where method = 'cramers_v'

union all

select
    group_key,
    column_name,
    cast('correlation_ratio' as {{ text }}) as method,
    cast('root' as {{ text }}) as scale,
    cast(total as bigint) as n,
    eta as value,
    case when eta is not null then 1 - (1 - eta2) * correction end as point,
    sqrt(
        greatest(eta2_variance, 0) / total + 2 * (n_groups - 1) / (total * total)
    ) * correction as sd,
    case when eta2 > 1e-12 then greatest(eta2_variance, 0) / eta2 else 4 end
    / total * correction * correction / 4 as curvature
from grouped
where task <> 'binary'

union all

select
    group_key,
    column_name,
    cast('point_biserial' as {{ text }}) as method,
    cast('fisher' as {{ text }}) as scale,
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
from grouped
where task = 'binary'

union all

select
    group_key,
    column_name,
    cast('pearson' as {{ text }}) as method,
    cast('fisher' as {{ text }}) as scale,
    cast(n as bigint) as n,
    r as value,
    {{ mlmon.fisher_z('r') }} as point,
    case when n > 3 then 1 / sqrt(n - 3) end as sd,
    cast(0 as {{ mlmon.type_double() }}) as curvature
from correlations
