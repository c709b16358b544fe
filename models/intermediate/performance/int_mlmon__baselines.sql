-- One row per monitor, version ('all' beside each), segment and metric: the number to compare with. The labelled
-- reference's own metric, else the seed baseline_metrics', for the version before that for all.
with

versions as (
    select
        monitor,
        model_version,
        reference_key
    from {{ ref('int_mlmon__versions') }}

    union all

    -- All versions together are held against the one reference they share, or what is given.
    select
        monitor,
        cast('all' as {{ dbt.type_string() }}) as model_version,
        case when count(distinct coalesce(reference_key, '')) = 1 then max(reference_key) end
            as reference_key
    from {{ ref('int_mlmon__versions') }}
    group by monitor
),

reference_facts as (
    select * from {{ ref('int_mlmon__references') }}
),

settings as (
    select * from {{ ref('int_mlmon__settings') }}
    where task = 'binary'
),

label_ages as (
    {{ mlmon.label_age_settings() }}
),

reference_counts as (
    select
        reference_key,
        segment_name,
        segment_value,
        label_class,
        predicted_class,
        n
    from {{ ref('int_mlmon__reference_labels') }}

    union all

    select
        reference_facts.reference_key,
        counts.segment_name,
        counts.segment_value,
        counts.label_class,
        counts.predicted_class,
        counts.n
    from reference_facts
    inner join {{ ref('int_mlmon__confusion_counts') }} as counts
        on
            reference_facts.monitor = counts.monitor
            and counts.window_index
            between reference_facts.first_index and reference_facts.last_index
            and reference_facts.logged_version in ('all', counts.model_version)
    inner join label_ages
        on
            counts.monitor = label_ages.monitor
            and counts.label_age = label_ages.label_age
            and label_ages.is_horizon
    where reference_facts.reference_kind <> 'table'
),

confusion as (
    select
        versions.monitor,
        versions.model_version,
        counts.segment_name,
        counts.segment_value,
        {{ mlmon.confusion_sums('counts') }}
    from versions
    inner join settings
        on versions.monitor = settings.monitor
    inner join reference_counts as counts
        on versions.reference_key = counts.reference_key
    group by
        versions.monitor, versions.model_version, counts.segment_name, counts.segment_value
),

reference_metrics as (
    {{ mlmon.binary_metrics(
        'confusion', ['monitor', 'model_version', 'segment_name', 'segment_value']
    ) }}
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
        monitor,
        model_version,
        segment_name,
        segment_value,
        metric,
        cast('reference' as {{ dbt.type_string() }}) as baseline_kind,
        value,
        variance,
        n,
        1 as preference
    from reference_metrics
    where value is not null

    union all

    select
        monitor,
        model_version,
        segment_name,
        segment_value,
        metric,
        cast('seed' as {{ dbt.type_string() }}) as baseline_kind,
        value,
        -- A given metric has no counts behind it; its n is taken as that of a proportion.
        value * (1 - value) / nullif(n, 0) as variance,
        cast(n as bigint) as n,
        case when is_given_for_version then 2 else 3 end as preference
    from given_metrics
    where value is not null
),

ranked as (
    select
        candidates.*,
        row_number() over (
            partition by monitor, model_version, segment_name, segment_value, metric
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
    baseline_kind,
    value,
    variance,
    n
from ranked
where preference_rank = 1
