-- One row per monitor, version ('all' beside each), segment, metric and class: the number to compare with. The labelled
-- reference's own metric, else the seed baseline_metrics', for the version before that for all.
with

versions as (
    select * from {{ ref('int_mlmon__baseline_versions') }}
),

reference_metrics as (
    select * from {{ ref('int_mlmon__reference_metrics') }}
),

given_metrics as (
    select
        versions.monitor,
        versions.model_version,
        given.segment_name,
        given.segment_value,
        given.metric,
        given.model_version <> '*' as is_given_for_version,
        {{ mlmon.try_double('given.value') }} as value,
        {{ mlmon.try_double('given.n') }} as n
    from versions
    inner join {{ mlmon.seed_relation('baseline_metrics') }} as given
        on
            versions.monitor = given.monitor
            and given.model_version in ('*', versions.model_version)
),

candidates as (
    select
        versions.monitor,
        versions.model_version,
        reference_metrics.segment_name,
        reference_metrics.segment_value,
        reference_metrics.metric,
        reference_metrics.class_label,
        cast('reference' as {{ dbt.type_string() }}) as baseline_kind,
        reference_metrics.value,
        reference_metrics.value_low,
        reference_metrics.value_high,
        reference_metrics.variance,
        reference_metrics.n,
        1 as preference
    from versions
    inner join reference_metrics
        on versions.reference_key = reference_metrics.reference_key

    union all

    select
        monitor,
        model_version,
        segment_name,
        segment_value,
        metric,
        cast('all' as {{ dbt.type_string() }}) as class_label,
        cast('seed' as {{ dbt.type_string() }}) as baseline_kind,
        value,
        cast(null as {{ mlmon.type_double() }}) as value_low,
        cast(null as {{ mlmon.type_double() }}) as value_high,
        -- A given metric has no counts behind it; the n of an f1 is taken as that of a proportion.
        case when metric = 'f1' then value * (1 - value) / nullif(n, 0) end as variance,
        cast(n as bigint) as n,
        case when is_given_for_version then 2 else 3 end as preference
    from given_metrics
    where value is not null
),

ranked as (
    select
        candidates.*,
        row_number() over (
            partition by monitor, model_version, segment_name, segment_value, metric, class_label
            order by preference, value desc
        ) as preference_rank
    from candidates
)

select
    monitor,
    model_version,
    segment_name,
    segment_value,
    metric,
    class_label,
    baseline_kind,
    value,
    value_low,
    value_high,
    variance,
    n
from ranked
where preference_rank = 1
