-- One row per reference and interval of its calibration map, which gives each score the probability
-- of a positive label. It is linear between a knot and the next, and flat beyond the last and, as
-- interval 0, before the first.
{{ config(
    materialized='incremental',
    incremental_strategy='mlmon_windows',
    unique_key='window_key',
    on_schema_change='append_new_columns',
    meta={'stale': 'performance'},
    post_hook="{{ mlmon.record_windows('performance') }}",
) }}

with

knots as (
    select
        knots.reference_key,
        knots.score,
        knots.probability,
        knots.n_reference,
        -- A reference without predictions counts as a whole.
        case
            when knots.n_predicted + knots.n_predicted_other > 0 then knots.n_predicted
            else knots.n_reference
        end as n_predicted,
        case
            when knots.n_predicted + knots.n_predicted_other > 0 then knots.n_predicted_other
            else knots.n_reference
        end as n_predicted_other,
        row_number() over by_score as knot_number,
        lead(score) over by_score as next_score,
        lead(probability) over by_score as next_probability
    from
        {{ ref(
            'int_mlmon__calibration_knots_python' if mlmon.has_python_models()
            else 'int_mlmon__calibration_knots_sql'
        ) }} as knots
    window by_score as (partition by reference_key order by score)
)

select
    reference_key as window_key,
    reference_key,
    knot_number,
    score,
    probability,
    coalesce((next_probability - probability) / nullif(next_score - score, 0), 0) as slope,
    n_reference,
    n_predicted,
    n_predicted_other
from knots

union all

select
    reference_key as window_key,
    reference_key,
    0 as knot_number,
    score,
    probability,
    0 as slope,
    n_reference,
    n_predicted,
    n_predicted_other
from knots
where knot_number = 1
