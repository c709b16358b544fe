-- One row per monitor, version, closed base window and monitored column: what its values looked
-- like.
with

profiles as (
    select * from {{ ref('int_mlmon__column_profiles') }}
),

spans as (
    select * from {{ ref('int_mlmon__spans') }}
    where span_windows = 1
),

columns as (
    select * from {{ ref('int_mlmon__column_settings') }}
),

scales as (
    select
        reference_key,
        column_name,
        center,
        scale
    from {{ ref('int_mlmon__bin_edges') }}
    where edge_index = 0
),

sums as (
    select
        window_key,
        column_name,
        max(reference_key) as reference_key,
        sum(n) as n_rows,
        sum(n_missing) as n_missing,
        sum(n_zeros) as n_zeros,
        -- Moments of values that were left out of the sums would be wrong.
        cast(
            case when sum(n_clamped) = 0 then sum(n_finite) end as {{ mlmon.type_double() }}
        ) as n_finite,
        sum(sum_z) as sum_z,
        sum(sum_z2) as sum_z2,
        min(x_min) as value_min,
        max(x_max) as value_max
    from {{ ref('int_mlmon__column_counts') }}
    where segment_name = 'all'
    group by window_key, column_name
),

moments as (
    select
        sums.*,
        coalesce(scales.center, 0) as center,
        coalesce(scales.scale, 1) as scale,
        sums.sum_z / nullif(sums.n_finite, 0) as mean_z,
        case
            when sums.n_finite > 1
                then sqrt(greatest(
                    0,
                    (sums.sum_z2 - sums.sum_z * (sums.sum_z / sums.n_finite))
                    / (sums.n_finite - 1)
                ))
        end as stddev_z
    from sums
    left join scales
        on
            sums.reference_key = scales.reference_key
            and sums.column_name = scales.column_name
)

select
    {{ mlmon.window_columns('spans') }},
    cast('all' as {{ dbt.type_string() }}) as segment_name,
    cast('all' as {{ dbt.type_string() }}) as segment_value,
    columns.column_key,
    columns.column_name,
    columns.column_role,
    columns.column_kind,
    cast(moments.n_rows as bigint) as n_rows,
    cast(moments.n_missing as bigint) as n_missing,
    cast(moments.n_zeros as bigint) as n_zeros,
    profiles.n_distinct,
    cast(moments.n_missing as {{ mlmon.type_double() }})
    / nullif(moments.n_rows, 0) as missing_share,
    {{ mlmon.unscaled('moments.mean_z', 'moments.scale', 'moments.center') }} as mean,
    {{ mlmon.unscaled('moments.stddev_z', 'moments.scale', '0') }} as stddev,
    moments.value_min,
    {%- for percent in ['01', '05', '25', '50', '75', '95', '99'] %}
    profiles.p{{ percent }},
    {%- endfor %}
    moments.value_max,
    profiles.modal_value,
    cast(profiles.modal_n as {{ mlmon.type_double() }})
    / nullif(profiles.n_profiled, 0) as modal_share,
    profiles.n_profiled,
    case
        when columns.column_kind <> 'numeric' then 'none'
        when profiles.n_profiled < moments.n_rows then 'sampled'
        else 'exact'
    end as quantile_method
from profiles
inner join spans
    on profiles.window_key = spans.window_key
inner join columns
    on
        profiles.monitor = columns.monitor
        and profiles.column_name = columns.column_name
left join moments
    on
        profiles.window_key = moments.window_key
        and profiles.column_name = moments.column_name
