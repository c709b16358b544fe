-- One row per touched window end, span, segment and metric of a monitor with class scores: its estimated value, and the variance
-- of the realised one if every label is drawn with its probabilities, by the delta method.
{%- set slots = mlmon.class_score_slots() %}

with

stretches as (
    select * from {{ ref('int_mlmon__class_stretches') }}
),

-- A probability is no surer than as many rows of the reference with the same prediction can make it.
calibrated as (
    select
        calibrated.*
        {%- for slot in slots %},
        {{ mlmon.smoothed_probability(
            'probability_' ~ loop.index, 'n_reference', 'n_class_scores'
        ) }} as smoothed_{{ loop.index }}
        {%- endfor %}
    from {{ ref('int_mlmon__calibrated_classes') }} as calibrated
    where is_counted
),

confusion as (
    select * from {{ ref('int_mlmon__expected_confusion') }}
),

classes as (
    select * from {{ ref('int_mlmon__expected_classes') }}
),

parts as (
    {{ mlmon.expected_parts('classes') }}
),

ends as (
    select distinct
        stretch_number,
        window_key,
        monitor,
        span_windows
    from stretches
),

gradients as (
    select
        parts.population_number,
        parts.segment_name,
        parts.segment_value,
        parts.metric,
        sum(parts.part) as value
        {%- for slot in slots %},
        max(case when settings.class_number = {{ loop.index }} then parts.by_labels end)
            as by_label_{{ loop.index }}
        {%- endfor %}
    from parts
    inner join ends
        on parts.population_number = ends.stretch_number
    left join ({{ mlmon.class_score_settings() }}) as settings
        on
            ends.monitor = settings.monitor
            and parts.class_label = settings.class_label
    group by
        parts.population_number, parts.segment_name, parts.segment_value, parts.metric
),

variances as (
    {%- for position in range(0, mlmon.slot_counts()['segment'] + 1) %}
    {%- set value = 'calibrated.segment_' ~ position if position else "'all'" %}
    {%- if not loop.first %}

    union all
    {% endif %}
    select
        gradients.population_number,
        gradients.segment_name,
        gradients.segment_value,
        gradients.metric,
        max(gradients.value) as value,
        greatest(
            0,
            sum(
                calibrated.n
                * {{ mlmon.label_draw_variance('calibrated', 'gradients', 'predicted') }}
                * {{ mlmon.calibration_factor('confusion.n', 'calibrated.n_reference') }}
            )
        ) as variance
    from stretches
    inner join calibrated
        on
            stretches.source_key = calibrated.source_key
            and stretches.reference_key = calibrated.reference_key
    inner join gradients
        on
            stretches.stretch_number = gradients.population_number
            and gradients.segment_name = '{{ position }}'
            and gradients.segment_value = {{ value }}
    inner join confusion
        on
            stretches.stretch_number = confusion.stretch_number
            and confusion.segment_position = {{ position }}
            and confusion.segment_value = {{ value }}
            and calibrated.predicted_class = confusion.predicted_class
    left join parts as predicted
        on
            gradients.population_number = predicted.population_number
            and gradients.segment_name = predicted.segment_name
            and gradients.segment_value = predicted.segment_value
            and gradients.metric = predicted.metric
            and calibrated.predicted_class = predicted.class_label
    group by
        gradients.population_number, gradients.segment_name, gradients.segment_value,
        gradients.metric
    {%- endfor %}
),

totals as (
    select
        population_number,
        segment_name,
        segment_value,
        max(n_rows) as n,
        max(n_excluded) as n_excluded
    from classes
    group by population_number, segment_name, segment_value
)

select
    ends.window_key,
    ends.span_windows,
    case when variances.segment_name = '0' then 'all' else segments.segment_name end
        as segment_name,
    variances.segment_value,
    totals.n + totals.n_excluded as n_predictions,
    totals.n_excluded,
    variances.metric,
    variances.value,
    variances.variance
from variances
inner join totals
    on
        variances.population_number = totals.population_number
        and variances.segment_name = totals.segment_name
        and variances.segment_value = totals.segment_value
inner join ends
    on variances.population_number = ends.stretch_number
left join ({{ mlmon.segment_settings() }}) as segments
    on
        ends.monitor = segments.monitor
        and variances.segment_name = cast(segments.segment_position as {{ dbt.type_string() }})
where variances.segment_name = '0' or segments.segment_name is not null
