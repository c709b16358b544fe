-- One row per stale reference and knot of its calibration map: mean score and share of positive
-- labels in bins of equally many rows, made non-decreasing. It is for warehouses without Python
-- models: the Python model of the same columns fits an isotonic regression.
{{ config(enabled=not mlmon.has_python_models()) }}
with

samples as (
    select
        samples.*,
        sum(n) over (
            partition by reference_key order by score
            rows between unbounded preceding and current row
        ) as n_through,
        sum(n) over (partition by reference_key) as n_reference,
        sum(n_predicted) over (partition by reference_key) as n_all_predicted,
        sum(n_predicted_other) over (partition by reference_key)
            as n_all_predicted_other
    from {{ ref('int_mlmon__calibration_samples') }} as samples
),

-- The more rows, the finer: a fifth of their square root is the number of bins, fifty at most.
binned as (
    select
        samples.*,
        floor(
            (n_through - 0.5 * n) / n_reference
            * greatest(1, least(50, floor(sqrt(n_reference) / 5)))
        ) as bin
    from samples
),

bins as (
    select
        reference_key,
        bin,
        sum(score * n) / sum(n) as score,
        sum(n_positive) / cast(sum(n) as {{ mlmon.type_double() }}) as rate,
        max(n_reference) as n_reference,
        max(n_all_predicted) as n_predicted,
        max(n_all_predicted_other) as n_predicted_other
    from binned
    group by reference_key, bin
)

select
    reference_key,
    score,
    max(rate) over (
        partition by reference_key order by bin
        rows between unbounded preceding and current row
    ) as probability,
    cast(n_reference as bigint) as n_reference,
    cast(n_predicted as bigint) as n_predicted,
    cast(n_predicted_other as bigint) as n_predicted_other
from bins
