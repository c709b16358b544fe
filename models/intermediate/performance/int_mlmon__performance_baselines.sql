-- One row per value of performance that is judged, at the horizon age, and kind of baseline that
-- there is for it: the value and the baseline's. fct_mlmon__degradation judges these. The baseline
-- is the metric of the labelled reference or, where that has none, the number that
-- baseline_metrics gives; that of the span before; or that of the version before, at its newest
-- complete window end. A span or version whose labels were late is no baseline: the few labels that
-- came early would mislead. The monitor's own kind always has a row, without a value where there is
-- none. baseline_asked is the kind that a row is for, baseline_kind what was found for it ('none').
-- A table, because what is judged is joined to itself, and the verdicts on top of that would be too
-- long to read.
{%- set keys = [
    'monitor_key', 'window_index', 'span_windows', 'segment_name', 'segment_value', 'metric',
] %}

with

settings as (
    select * from {{ ref('int_mlmon__settings') }}
),

versions as (
    {{ mlmon.version_references() }}
),

metric_values as (
    {{ mlmon.metric_values() }}
),

judged as (
    select
        covered.*,
        judged_metrics.metric,
        measured.value,
        measured.value_low,
        measured.value_high,
        case when measured.value_low is not null then measured.interval_method end
            as interval_method,
        measured.variance,
        coalesce(measured.n, 0) as n,
        versions.reference_key,
        versions.previous_version
    from {{ ref('int_mlmon__span_coverage') }} as covered
    inner join ({{ mlmon.judged_metric_settings() }}) as judged_metrics
        on covered.monitor = judged_metrics.monitor
    left join metric_values as measured
        on
            covered.window_key = measured.window_key
            and covered.span_windows = measured.span_windows
            and covered.label_age = measured.label_age
            and covered.segment_name = measured.segment_name
            and covered.segment_value = measured.segment_value
            and judged_metrics.metric = measured.metric
            and measured.class_label = 'all'
    left join versions
        on
            covered.monitor = versions.monitor
            and covered.model_version = versions.model_version
    where covered.is_horizon
),

-- A number that the seed gives for the version goes before one for all versions.
given_metrics as (
    select
        versions.monitor,
        versions.model_version,
        given.segment_name,
        given.segment_value,
        given.metric,
        {{ mlmon.try_double('given.value') }} as value,
        {{ mlmon.try_double('given.n') }} as n,
        row_number() over (
            partition by
                versions.monitor, versions.model_version, given.segment_name,
                given.segment_value, given.metric
            order by
                case when given.model_version = '*' then 1 else 0 end,
                {{ mlmon.try_double('given.value') }} desc
        ) as preference
    from versions
    inner join {{ mlmon.seed_relation('baseline_metrics', columns=[
        'monitor', 'model_version', 'segment_name', 'segment_value', 'metric', 'value', 'n',
    ]) }} as given
        on
            versions.monitor = given.monitor
            and given.model_version in ('*', versions.model_version)
    where {{ mlmon.try_double('given.value') }} is not null
),

-- The newest complete window end of the version before: both versions' window ends are put in one
-- order, and each value takes the newest one before it.
asked as (
    select
        monitor,
        model_version,
        span_windows,
        segment_name,
        segment_value,
        metric,
        window_index as at_index,
        window_index as answer,
        cast(null as {{ dbt.type_string() }}) as asked_by
    from judged
    where value is not null and is_complete and not {{ mlmon.are_labels_late() }}

    union all

    select
        monitor,
        previous_version as model_version,
        span_windows,
        segment_name,
        segment_value,
        metric,
        window_index as at_index,
        null as answer,
        monitor_key as asked_by
    from judged
    where previous_version is not null
),

answered as (
    select
        asked.*,
        max(answer) over (
            partition by
                monitor, model_version, span_windows, segment_name, segment_value, metric
            order by at_index
            range between unbounded preceding and current row
        ) as earlier_index
    from asked
),

found as (
    select
        {%- for key in keys %}
        judged.{{ key }},
        {%- endfor %}
        cast('reference' as {{ dbt.type_string() }}) as configured_kind,
        case when measured.reference_key is null then 'seed' else 'reference' end
            as baseline_kind,
        case when measured.reference_key is null then given_metrics.value else measured.value end
            as value,
        measured.value_low,
        measured.value_high,
        case
            when measured.reference_key is not null then measured.variance
            -- A given metric has no counts behind it; the n of an f1 is taken as that of a
            -- proportion.
            when judged.metric = 'f1'
                then
                    given_metrics.value * (1 - given_metrics.value)
                    / nullif(given_metrics.n, 0)
        end as variance,
        case
            when measured.reference_key is null then cast(given_metrics.n as bigint)
            else measured.n
        end as n
    from judged
    left join metric_values as measured
        on
            judged.reference_key = measured.reference_key
            and judged.segment_name = measured.segment_name
            and judged.segment_value = measured.segment_value
            and judged.metric = measured.metric
            and measured.class_label = 'all'
            and measured.value is not null
    left join given_metrics
        on
            judged.monitor = given_metrics.monitor
            and judged.model_version = given_metrics.model_version
            and judged.segment_name = given_metrics.segment_name
            and judged.segment_value = given_metrics.segment_value
            and judged.metric = given_metrics.metric
            and given_metrics.preference = 1
    where measured.value is not null or given_metrics.value is not null

    union all

    select
        {%- for key in keys %}
        judged.{{ key }},
        {%- endfor %}
        cast('previous_span' as {{ dbt.type_string() }}) as configured_kind,
        cast('previous_span' as {{ dbt.type_string() }}) as baseline_kind,
        earlier.value,
        earlier.value_low,
        earlier.value_high,
        earlier.variance,
        earlier.n
    from judged
    inner join judged as earlier
        on
            judged.monitor_key = earlier.monitor_key
            and judged.window_index - judged.span_windows = earlier.window_index
            and judged.span_windows = earlier.span_windows
            and judged.segment_name = earlier.segment_name
            and judged.segment_value = earlier.segment_value
            and judged.metric = earlier.metric
    where earlier.value is not null and not {{ mlmon.are_labels_late('earlier') }}

    union all

    select
        answered.asked_by as monitor_key,
        answered.at_index as window_index,
        answered.span_windows,
        answered.segment_name,
        answered.segment_value,
        answered.metric,
        cast('previous_version' as {{ dbt.type_string() }}) as configured_kind,
        cast('previous_version' as {{ dbt.type_string() }}) as baseline_kind,
        earlier.value,
        earlier.value_low,
        earlier.value_high,
        earlier.variance,
        earlier.n
    from answered
    inner join judged as earlier
        on
            answered.monitor = earlier.monitor
            and answered.model_version = earlier.model_version
            and answered.span_windows = earlier.span_windows
            and answered.segment_name = earlier.segment_name
            and answered.segment_value = earlier.segment_value
            and answered.metric = earlier.metric
            and answered.earlier_index = earlier.window_index
    where answered.asked_by is not null
)

select
    judged.monitor_key,
    judged.monitor,
    judged.model_version,
    judged.window_start,
    judged.window_end,
    judged.window_date,
    judged.span_windows,
    judged.segment_name,
    judged.segment_value,
    judged.metric,
    cast('all' as {{ dbt.type_string() }}) as class_label,
    judged.label_age,
    cast(judged.label_age_days as integer) as label_age_days,
    judged.value,
    judged.value_low,
    judged.value_high,
    judged.variance,
    judged.interval_method = 'wilson' as is_proportion,
    judged.n,
    judged.label_coverage,
    judged.expected_label_coverage,
    judged.is_mature,
    judged.is_judged,
    kinds.baseline_kind as baseline_asked,
    kinds.baseline_kind = settings.baseline as is_deciding,
    coalesce(found.baseline_kind, 'none') as baseline_kind,
    found.value as baseline_value,
    found.value_low as baseline_low,
    found.value_high as baseline_high,
    found.variance as baseline_variance,
    found.n as n_baseline
from judged
inner join settings
    on judged.monitor = settings.monitor
cross join ({{ mlmon.baseline_kind_settings() }}) as kinds
left join found
    on
        judged.monitor_key = found.monitor_key
        and judged.window_index = found.window_index
        and judged.span_windows = found.span_windows
        and judged.segment_name = found.segment_name
        and judged.segment_value = found.segment_value
        and judged.metric = found.metric
        and kinds.baseline_kind = found.configured_kind
where found.value is not null or kinds.baseline_kind = settings.baseline
