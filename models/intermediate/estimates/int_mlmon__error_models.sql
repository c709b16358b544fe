-- One row per reference, monitored column and bin: what it adds to the absolute error to be expected and to its square, and
-- one for what they are added to, with the column 'all'.
{{ config(
    materialized='incremental',
    incremental_strategy='mlmon_windows',
    unique_key='window_key',
    on_schema_change='append_new_columns',
    meta={'stale': 'int_mlmon__touched_performance_ends'},
    post_hook="{{ mlmon.record_windows('int_mlmon__touched_performance_ends') }}",
) }}

select
    reference_key as window_key,
    reference_key,
    column_name,
    bin_index,
    effect,
    square_effect,
    n_reference
from {{ ref('int_mlmon__error_model_effects') }}
