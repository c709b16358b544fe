-- One row per window end or reference, feature that is a number beside a class, or categories beside a number, and group
-- of that number: its weight, and its shares of the whole variance, by the distance of its mean and by its own.
with

cells as (
    select * from {{ ref('int_mlmon__association_cells') }}
    where n_paired > 0
),

numbers as (
    select
        group_key,
        column_name,
        task,
        label_bin as group_name,
        n_paired as n,
        sum_z as s1,
        sum_z2 as s2,
        z_min as x_min,
        z_max as x_max
    from cells
    where column_kind = 'numeric' and task not in ('regression', 'ranking')

    union all

    select
        group_key,
        column_name,
        task,
        cast(bin_index as {{ dbt.type_string() }}) as group_name,
        n_paired as n,
        sum_y as s1,
        sum_y2 as s2,
        y_min as x_min,
        y_max as x_max
    from cells
    where column_kind = 'categorical' and task in ('regression', 'ranking')
),

by_group as (
    select
        group_key,
        column_name,
        task,
        group_name,
        sum(n) as n,
        sum(s1) / sum(n) as group_mean,
        sum(s2) / sum(n) as mean_square,
        min(x_min) as x_min,
        max(x_max) as x_max
    from numbers
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
)

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
