-- One row per touched reference and numeric column: the binning policy in force and what it is applied to.
with

reference_rows as (
    select * from {{ ref('int_mlmon__touched_reference_rows') }}
),

specs as (
    select
        reference_facts.reference_key,
        reference_facts.reference_hash,
        columns.monitor,
        columns.column_name,
        columns.slot,
        columns.bin_policy,
        columns.n_bins_asked
    from {{ ref('int_mlmon__touched_references') }} as touched
    inner join {{ ref('int_mlmon__references') }} as reference_facts
        on touched.window_key = reference_facts.reference_key
    inner join {{ ref('int_mlmon__column_settings') }} as columns
        on
            reference_facts.monitor = columns.monitor
            and columns.column_kind = 'numeric'
),

reference_values as (
    {{ mlmon.long_values('reference_rows', ['reference_key'], 'numeric') }}
),

finite_values as (
    select
        reference_key,
        slot,
        x
    from reference_values
    where x - x = 0
),

counts as (
    select
        reference_key,
        slot,
        count(*) as n,
        count(distinct x) as n_distinct,
        min(x) as x_min
    from reference_values
    group by reference_key, slot
),

finite_stats as (
    select
        reference_key,
        slot,
        min(x) as finite_min,
        max(x) as finite_max,
        percentile_cont(0.001) within group (order by x) as thousandth,
        percentile_cont(0.25) within group (order by x) as quartile_1,
        percentile_cont(0.5) within group (order by x) as center,
        percentile_cont(0.75) within group (order by x) as quartile_3,
        percentile_cont(0.999) within group (order by x) as last_thousandth
    from finite_values
    group by reference_key, slot
),

fences as (
    select
        reference_key,
        slot,
        -- Beyond what a double can hold there is no fence.
        case
            when abs(quartile_1) < 1e300 and abs(quartile_3) < 1e300
                then quartile_3 - quartile_1
        end as iqr
    from finite_stats
),

policies as (
    select
        specs.*,
        finite_stats.quartile_1 - 1.5 * fences.iqr as inner_low,
        finite_stats.quartile_3 + 1.5 * fences.iqr as inner_high,
        least(finite_stats.thousandth, finite_stats.quartile_1 - 3 * fences.iqr) as outer_low,
        greatest(finite_stats.last_thousandth, finite_stats.quartile_3 + 3 * fences.iqr)
            as outer_high,
        coalesce(counts.n, 0) as n,
        counts.x_min,
        finite_stats.finite_min,
        finite_stats.finite_max,
        coalesce(finite_stats.center, 0) as center,
        case
            -- A constant: any scale will do that lets other values be summed, too.
            when finite_stats.finite_min = finite_stats.finite_max
                then greatest(abs(finite_stats.center), 1.0) / 4
            else greatest(
                finite_stats.quartile_3 / 4 - finite_stats.quartile_1 / 4,
                (finite_stats.finite_max / 4 - finite_stats.center / 4) * 1e-6,
                (finite_stats.center / 4 - finite_stats.finite_min / 4) * 1e-6,
                {{ mlmon.smallest_scale() }}
            )
        end as quarter_scale,
        case
            when
                specs.bin_policy <> 'custom'
                and coalesce(counts.n_distinct, 0) <= specs.n_bins_asked
                then 'discrete'
            else specs.bin_policy
        end as policy
    from specs
    left join counts
        on specs.reference_key = counts.reference_key and specs.slot = counts.slot
    left join finite_stats
        on
            specs.reference_key = finite_stats.reference_key
            and specs.slot = finite_stats.slot
    left join fences
        on
            specs.reference_key = fences.reference_key
            and specs.slot = fences.slot
)

select * from policies
