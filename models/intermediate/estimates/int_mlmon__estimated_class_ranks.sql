-- One row per touched window end, span and segment of a monitor with class scores: the expected roc_auc_macro, and the variance of
-- the realised one if every label is drawn with its probabilities: a label of a class moves the mean by what it adds
-- to the order of that class, less what it would have added to the rest.
{%- set keys = ['stretch_number', 'segment_position', 'segment_value'] %}

with

stretches as (
    select * from {{ ref('int_mlmon__class_stretches') }}
),

scored as (
    select
        stretches.stretch_number,
        stretches.window_key,
        stretches.monitor,
        stretches.span_windows,
        stretches.is_default_span,
        calibrated.*
        {{- mlmon.class_scores_of('rows_of_source') }}
    from stretches
    inner join {{ ref('int_mlmon__calibrated_classes') }} as calibrated
        on
            stretches.source_key = calibrated.source_key
            and stretches.reference_key = calibrated.reference_key
    inner join {{ ref('int_mlmon__class_score_rows') }} as rows_of_source
        on calibrated.scored_number = rows_of_source.scored_number
),

segmented as (
    {{ mlmon.rows_by_segment('scored', 'is_default_span') }}
),

ranked as (
    {%- for slot in mlmon.class_score_slots() %}
    {%- if not loop.first %}

    union all
    {% endif %}
    {%- set probability = 'probability_' ~ loop.index %}
    select
        {{ keys | join(', ') }},
        scored_number as row_id,
        {{ loop.index }} as class_number,
        {{ slot }} as score,
        n,
        n_reference,
        {{ probability }} as probability,
        {{ mlmon.smoothed_probability(probability, 'n_reference', 'n_class_scores') }} as smoothed
    from segmented
    where is_counted and n_class_scores >= {{ loop.index }}
    {%- endfor %}
),

parts as (
    {{ mlmon.class_rank_parts('ranked', keys) }}
),

drawn as (
    select
        {{ keys | join(', ') }},
        row_id,
        max(n) as n,
        max(n_reference) as n_reference,
        avg(auc) as value,
        sum(smoothed * (if_class - if_rest) * (if_class - if_rest)) / count(*) / count(*)
            as mean_square,
        sum(smoothed * (if_class - if_rest)) / count(*) as mean
    from parts
    group by {{ keys | join(', ') }}, row_id
),

measured as (
    select
        {{ keys | join(', ') }},
        max(value) as value,
        sum(n) as n,
        sum(n * greatest(0, mean_square - mean * mean)) as variance,
        sum(n * n_reference) / sum(n) as n_reference
    from drawn
    group by {{ keys | join(', ') }}
),

sizes as (
    select
        {{ keys | join(', ') }},
        min(window_key) as window_key,
        min(monitor) as monitor,
        min(span_windows) as span_windows,
        sum(n) as n_predictions,
        sum(case when is_counted then 0 else n end) as n_excluded
    from segmented
    group by {{ keys | join(', ') }}
),

named as (
    {{ mlmon.named_segments('sizes') }}
)

select
    named.window_key,
    named.span_windows,
    named.segment_name,
    named.segment_value,
    named.n_predictions,
    named.n_excluded,
    cast('roc_auc_macro' as {{ dbt.type_string() }}) as metric,
    measured.value,
    measured.variance * {{ mlmon.calibration_factor('measured.n', 'measured.n_reference') }}
        as variance
from named
inner join measured
    on
        named.stretch_number = measured.stretch_number
        and named.segment_position = measured.segment_position
        and named.segment_value = measured.segment_value
