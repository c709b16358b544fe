-- One row per population of a multiclass monitor, segment, metric and class ('all' for averages): its value and
-- interval. An average's variance is the delta method's: cells counts the label and the predicted class of each row, and a
-- row's influence is the metric's gradient by the hits of its class, the labels and the predictions of both.
with

counts as (
    select counts.*
    from {{ ref('int_mlmon__population_confusion') }} as counts
    inner join {{ ref('int_mlmon__populations') }} as populations
        on counts.population_number = populations.population_number
    inner join {{ ref('int_mlmon__settings') }} as settings
        on
            populations.monitor = settings.monitor
            and settings.task = 'multiclass'
            and settings.has_prediction
    where counts.label_class is not null
),

cells as (
    select * from counts
    where predicted_class is not null
),

totals as (
    select
        population_number,
        segment_name,
        segment_value,
        sum(case when predicted_class is not null then n else 0 end) as n_rows,
        sum(case when predicted_class = label_class then n else 0 end) as n_correct,
        sum(case when predicted_class is null then n else 0 end) as n_excluded
    from counts
    group by population_number, segment_name, segment_value
),

margins as (
    select
        population_number,
        segment_name,
        segment_value,
        label_class as class_label,
        n as n_labels,
        0 as n_predicted,
        case when predicted_class = label_class then n else 0 end as n_hits
    from cells

    union all

    select
        population_number,
        segment_name,
        segment_value,
        predicted_class as class_label,
        0 as n_labels,
        n as n_predicted,
        0 as n_hits
    from cells
),

classes as (
    select
        margins.population_number,
        margins.segment_name,
        margins.segment_value,
        margins.class_label,
        totals.n_rows,
        totals.n_excluded,
        cast(sum(margins.n_labels) as {{ mlmon.type_double() }}) as n_labels,
        cast(sum(margins.n_predicted) as {{ mlmon.type_double() }}) as n_predicted,
        cast(sum(margins.n_hits) as {{ mlmon.type_double() }}) as n_hits
    from margins
    inner join totals
        on
            margins.population_number = totals.population_number
            and margins.segment_name = totals.segment_name
            and margins.segment_value = totals.segment_value
    group by
        margins.population_number, margins.segment_name, margins.segment_value,
        margins.class_label, totals.n_rows, totals.n_excluded
),

weighed as (
    select
        classes.*,
        count(*) over (
            partition by population_number, segment_name, segment_value
        ) as n_classes,
        sum(case when n_labels > 0 then 1 else 0 end) over (
            partition by population_number, segment_name, segment_value
        ) as n_label_classes
    from classes
),

-- What each class adds to a metric, and the metric's gradient by its hits, labels and predictions.
parts as (
    {{ mlmon.multiclass_parts('weighed') }}
),

influences as (
    select
        cells.population_number,
        cells.segment_name,
        cells.segment_value,
        label_parts.metric,
        cells.n,
        case when cells.label_class = cells.predicted_class then label_parts.by_hits else 0 end
        + label_parts.by_labels + predicted_parts.by_predicted as influence
    from cells
    inner join parts as label_parts
        on
            cells.population_number = label_parts.population_number
            and cells.segment_name = label_parts.segment_name
            and cells.segment_value = label_parts.segment_value
            and cells.label_class = label_parts.class_label
    inner join parts as predicted_parts
        on
            cells.population_number = predicted_parts.population_number
            and cells.segment_name = predicted_parts.segment_name
            and cells.segment_value = predicted_parts.segment_value
            and cells.predicted_class = predicted_parts.class_label
            and label_parts.metric = predicted_parts.metric
),

variances as (
    select
        population_number,
        segment_name,
        segment_value,
        metric,
        sum(n * influence * influence)
        - sum(n * influence) * sum(n * influence) / sum(n) as variance
    from influences
    group by population_number, segment_name, segment_value, metric
),

averages as (
    select
        population_number,
        segment_name,
        segment_value,
        metric,
        max(n_rows) as n,
        max(n_excluded) as n_excluded,
        sum(part) as value
    from parts
    group by population_number, segment_name, segment_value, metric
)

{{ mlmon.multiclass_metrics('totals', 'classes') }}

union all

select
    averages.population_number,
    averages.segment_name,
    averages.segment_value,
    averages.metric,
    cast('all' as {{ dbt.type_string() }}) as class_label,
    averages.value,
    -- A variance below the rounding of its terms is none.
    case when variances.variance > 1e-15 then variances.variance else 0 end as variance,
    cast(averages.n as bigint) as n,
    cast(averages.n_excluded as bigint) as n_excluded,
    case
        when variances.variance > 1e-15
            then greatest(0, averages.value - 1.959963984540054 * sqrt(variances.variance))
    end as value_low,
    case
        when variances.variance > 1e-15
            then least(1, averages.value + 1.959963984540054 * sqrt(variances.variance))
    end as value_high,
    cast('delta' as {{ dbt.type_string() }}) as interval_method
from averages
inner join variances
    on
        averages.population_number = variances.population_number
        and averages.segment_name = variances.segment_name
        and averages.segment_value = variances.segment_value
        and averages.metric = variances.metric
