-- One row per population of a multiclass monitor, segment and class: its labels, its predictions, and how many were both.
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
)

select
    classes.*,
    totals.n_correct,
    count(*) over (
        partition by classes.population_number, classes.segment_name, classes.segment_value
    ) as n_classes,
    sum(case when classes.n_labels > 0 then 1 else 0 end) over (
        partition by classes.population_number, classes.segment_name, classes.segment_value
    ) as n_label_classes
from classes
inner join totals
    on
        classes.population_number = totals.population_number
        and classes.segment_name = totals.segment_name
        and classes.segment_value = totals.segment_value
