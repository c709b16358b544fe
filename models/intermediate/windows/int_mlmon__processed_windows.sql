-- One row per incremental model and window: the fingerprint of what the model's rows were computed from; for the
-- ledger itself, which windows it knows. Written by the models' own hooks; this model only creates the table.
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='append_new_columns',
) }}

select
    cast(null as {{ dbt.type_string() }}) as model_name,
    cast(null as {{ dbt.type_string() }}) as window_key,
    cast(null as {{ dbt.type_string() }}) as fingerprint,
    cast(null as {{ dbt.type_string() }}) as monitor,
    cast(null as timestamp) as first_predicted_at
where false
