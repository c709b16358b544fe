-- One row per window end, span and segment of a monitor that has its errors estimated: the mean absolute error to be expected, and
-- where the realised one will lie in 95 of 100 cases if features and errors still go together as in the reference.
{{ config(
    materialized='incremental',
    incremental_strategy='mlmon_windows',
    unique_key='window_key',
    on_schema_change='append_new_columns',
    meta={'stale': 'int_mlmon__touched_estimation_ends'},
    post_hook="{{ mlmon.record_windows('int_mlmon__touched_estimation_ends') }}",
) }}

with

spans as (
    select
        spans.*,
        touched.reference_key as fitted_key
    from {{ ref('int_mlmon__touched_estimation_ends') }} as touched
    inner join {{ ref('int_mlmon__spans') }} as spans
        on touched.window_key = spans.window_key
),

models as (
    select * from {{ ref('int_mlmon__error_models') }}
),

intercepts as (
    select * from models
    where column_name = 'all'
),

-- Every prediction has a bin in every column; a bin that the reference never had adds nothing.
summed as (
    select
        spans.window_key,
        spans.span_windows,
        spans.fitted_key,
        counts.segment_name,
        counts.segment_value,
        sum(case when counts.column_name = 'prediction' then counts.n else 0 end) as n,
        sum(counts.n * coalesce(models.effect, 0)) as effects,
        sum(counts.n * coalesce(models.square_effect, 0)) as square_effects
    from spans
    inner join {{ ref('int_mlmon__bin_counts') }} as counts
        on
            spans.monitor = counts.monitor
            and spans.model_version = counts.model_version
            and spans.fitted_key = counts.reference_key
            and counts.window_index between spans.first_index and spans.window_index
    left join models
        on
            spans.fitted_key = models.reference_key
            and counts.column_name = models.column_name
            and counts.bin_index = models.bin_index
    where counts.segment_name = 'all' or spans.is_default_span
    group by
        spans.window_key, spans.span_windows, spans.fitted_key, counts.segment_name,
        counts.segment_value
),

means as (
    select
        summed.*,
        intercepts.n_reference,
        greatest(0, intercepts.effect + summed.effects / summed.n) as value,
        intercepts.square_effect + summed.square_effects / summed.n as mean_square
    from summed
    inner join intercepts
        on summed.fitted_key = intercepts.reference_key
    where summed.n > 0
),

spread as (
    select
        means.*,
        1.959963984540054 * sqrt(
            greatest(0, mean_square - value * value) / n * (1 + 1.0 * n / n_reference)
        ) as margin
    from means
)

select
    window_key,
    span_windows,
    segment_name,
    segment_value,
    cast('mae' as {{ dbt.type_string() }}) as metric,
    value,
    greatest(0, value - margin) as value_low,
    value + margin as value_high,
    cast(n as bigint) as n_predictions,
    cast(0 as bigint) as n_excluded
from spread
