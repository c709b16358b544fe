-- One row per touched window end and span, segment and predicted class: how many predictions, and how many labels of each
-- class are to be expected among them. A segment goes by its position, 0 being the whole.
{%- set slots = mlmon.class_score_slots() %}

with

predictions as (
    select
        stretches.stretch_number,
        stretches.is_default_span,
        calibrated.*
    from {{ ref('int_mlmon__class_stretches') }} as stretches
    inner join {{ ref('int_mlmon__calibrated_classes') }} as calibrated
        on
            stretches.source_key = calibrated.source_key
            and stretches.reference_key = calibrated.reference_key
)

{%- for position in range(0, mlmon.slot_counts()['segment'] + 1) %}
{%- if not loop.first %}

union all
{% endif %}

select
    stretch_number,
    cast({{ position }} as bigint) as segment_position,
    {{ 'segment_' ~ position if position else "cast('all' as " ~ dbt.type_string() ~ ")" }}
        as segment_value,
    predicted_class,
    predicted_number,
    cast(sum(case when is_counted then n else 0 end) as bigint) as n,
    cast(sum(case when is_counted then 0 else n end) as bigint) as n_excluded
    {%- for slot in slots %},
    sum(case when is_counted then n * probability_{{ loop.index }} else 0 end)
        as labels_{{ loop.index }}
    {%- endfor %}
from predictions
{%- if position %}
where is_default_span
{%- endif %}
group by
    stretch_number, predicted_class, predicted_number
    {{- ', segment_' ~ position if position }}
{%- endfor %}
