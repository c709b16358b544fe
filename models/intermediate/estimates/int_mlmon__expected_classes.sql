-- One row per touched window end and span, segment and class: its expected labels, its predictions, and how many are expected to
-- be both. The shape of int_mlmon__class_counts, which metrics of classes are computed from; the segment is named by its
-- position. A class is there that is predicted, or may be a label.
with

cells as (
    select
        cells.*,
        stretches.monitor,
        stretches.n_class_scores
    from {{ ref('int_mlmon__expected_confusion') }} as cells
    inner join (
        select distinct
            stretch_number,
            monitor,
            n_class_scores
        from {{ ref('int_mlmon__class_stretches') }}
    ) as stretches
        on cells.stretch_number = stretches.stretch_number
),

settings as (
    {{ mlmon.class_score_settings() }}
),

totals as (
    select
        stretch_number,
        segment_position,
        segment_value,
        sum(n) as n_rows,
        sum(n_excluded) as n_excluded
    from cells
    group by stretch_number, segment_position, segment_value
),

margins as (
    {%- for slot in mlmon.class_score_slots() %}
    {%- set labels = 'cells.labels_' ~ loop.index %}
    select
        cells.stretch_number,
        cells.segment_position,
        cells.segment_value,
        settings.class_label,
        {{ labels }} as n_labels,
        case when cells.predicted_number = settings.class_number then cells.n else 0 end
            as n_predicted,
        case when cells.predicted_number = settings.class_number then {{ labels }} else 0 end
            as n_hits
    from cells
    inner join settings
        on
            cells.monitor = settings.monitor
            and settings.class_number = {{ loop.index }}

    union all
    {% endfor %}
    -- A predicted class without a score is never right.
    select
        stretch_number,
        segment_position,
        segment_value,
        predicted_class as class_label,
        0 as n_labels,
        n as n_predicted,
        0 as n_hits
    from cells
    where predicted_number is null and predicted_class is not null
),

classes as (
    select
        stretch_number,
        segment_position,
        segment_value,
        class_label,
        sum(n_labels) as n_labels,
        cast(sum(n_predicted) as {{ mlmon.type_double() }}) as n_predicted,
        sum(n_hits) as n_hits
    from margins
    group by stretch_number, segment_position, segment_value, class_label
),

seen as (
    select
        classes.*,
        totals.n_rows,
        totals.n_excluded
    from classes
    inner join totals
        on
            classes.stretch_number = totals.stretch_number
            and classes.segment_position = totals.segment_position
            and classes.segment_value = totals.segment_value
    where
        totals.n_rows > 0
        and (classes.n_labels > 0 or classes.n_predicted > 0)
)

select
    stretch_number as population_number,
    cast(segment_position as {{ dbt.type_string() }}) as segment_name,
    segment_value,
    class_label,
    n_labels,
    n_predicted,
    n_hits,
    cast(n_rows as {{ mlmon.type_double() }}) as n_rows,
    n_excluded,
    count(*) over (
        partition by stretch_number, segment_position, segment_value
    ) as n_classes,
    sum(case when n_labels > 0 then 1 else 0 end) over (
        partition by stretch_number, segment_position, segment_value
    ) as n_label_classes
from seen
