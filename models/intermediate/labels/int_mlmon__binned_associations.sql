-- One row per window end or reference and feature: mutual information (nats, with the bin of missing values) and of
-- categories with a class Cramer's V (without it), each with a point free of its small-sample bias and the standard
-- deviation of that, by the delta method over the cells' multinomial shares (docs/numbers.md).
with

cells as (
    select * from {{ ref('int_mlmon__association_cells') }}
    where n > 0
),

scoped as (
    select
        'mutual_information' as method,
        group_key,
        column_name,
        bin_index,
        label_bin,
        n
    from cells

    union all

    select
        'cramers_v' as method,
        group_key,
        column_name,
        bin_index,
        label_bin,
        n
    from cells
    where
        column_kind = 'categorical'
        and task not in ('regression', 'ranking')
        and not is_missing
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

summed as (
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

corrected as (
    select
        summed.*,
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
        -- Bergsma 2013: the table's sides, too, are smaller than they look.
        least(
            n_bins - (n_bins - 1) * (n_bins - 1) / nullif(total - 1, 0),
            n_labels - (n_labels - 1) * (n_labels - 1) / nullif(total - 1, 0)
        ) - 1 as corrected_side
    from summed
)

select
    group_key,
    column_name,
    cast(method as {{ dbt.type_string() }}) as method,
    cast('plain' as {{ dbt.type_string() }}) as scale,
    cast(total as bigint) as n,
    case when n_labels > 1 then greatest(information, 0) end as value,
    case when n_labels > 1 then information - degrees_of_freedom / (2 * total) end as point,
    sqrt(
        greatest(squared_information - information * information, 0) / total
        + degrees_of_freedom / (2 * total * total)
    ) as sd,
    information_slope / 4 as curvature
from corrected
where method = 'mutual_information'

union all

select
    group_key,
    column_name,
    cast(method as {{ dbt.type_string() }}) as method,
    cast('root' as {{ dbt.type_string() }}) as scale,
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
from corrected
where method = 'cramers_v'
