-- One row per population of a multiclass monitor, segment, metric and class ('all' for averages): its value and
-- interval. An average's variance is the delta method's: cells counts the label and the predicted class of each row, and a
-- row's influence is the metric's gradient by the hits of its class, the labels and the predictions of both.
with

classes as (
    select * from {{ ref('int_mlmon__class_counts') }}
),

cells as (
    select counts.*
    from {{ ref('int_mlmon__population_confusion') }} as counts
    where counts.label_class is not null and counts.predicted_class is not null
),

totals as (
    select
        population_number,
        segment_name,
        segment_value,
        max(n_rows) as n_rows,
        max(n_correct) as n_correct,
        max(n_excluded) as n_excluded
    from classes
    group by population_number, segment_name, segment_value
),

-- What each class adds to a metric, and the metric's gradient by its hits, labels and predictions.
parts as (
    {{ mlmon.multiclass_parts('classes') }}
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
        sum(part) as value,
        sqrt(sum(below * below)) as below,
        sqrt(sum(above * above)) as above
    from parts
    group by population_number, segment_name, segment_value, metric
),

varied as (
    select
        averages.*,
        -- A variance below the rounding of its terms is none.
        case when variances.variance > 1e-15 then variances.variance else 0 end as variance,
        -- Of how many rows a proportion of this value would be as uncertain.
        case
            when variances.variance > 1e-15
                then averages.value * (1 - averages.value) / variances.variance
            when averages.value < 1e-12 or averages.value > 1 - 1e-12 then averages.n
        end as n_effective
    from averages
    inner join variances
        on
            averages.population_number = variances.population_number
            and averages.segment_name = variances.segment_name
            and averages.segment_value = variances.segment_value
            and averages.metric = variances.metric
)

{{ mlmon.multiclass_metrics('totals', 'classes') }}

union all

select
    population_number,
    segment_name,
    segment_value,
    metric,
    cast('all' as {{ dbt.type_string() }}) as class_label,
    value,
    variance,
    cast(n as bigint) as n,
    cast(n_excluded as bigint) as n_excluded,
    case
        when below is not null then greatest(0, value - below)
        when n_effective > 0 then {{ mlmon.wilson_bound('value', 'n_effective', '-') }}
    end as value_low,
    case
        when above is not null then least(1, value + above)
        when n_effective > 0 then {{ mlmon.wilson_bound('value', 'n_effective', '+') }}
    end as value_high,
    cast(
        case when below is not null then 'newcombe' else 'wilson_effective' end
        as {{ dbt.type_string() }}
    ) as interval_method
from varied
