-- One row per incremental model and window: the fingerprint of what the model's rows were computed from.
-- Written by the models themselves (macros/windows/replace_windows.sql); this model only creates the table.
{{ config(materialized='incremental', incremental_strategy='append') }}

select
    cast(null as {{ dbt.type_string() }}) as model_name,
    cast(null as {{ dbt.type_string() }}) as window_key,
    cast(null as {{ dbt.type_string() }}) as fingerprint
where false
