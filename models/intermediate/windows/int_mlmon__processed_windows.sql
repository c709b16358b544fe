-- One row per incremental model and window, window end or reference that it has computed: the
-- fingerprint of what the rows were computed from. The next run compares these fingerprints with
-- today's to find what is stale. For the ledger itself (int_mlmon__windows) a row says only that
-- the ledger knows the window, its monitor, and since when the log has had rows in it. The models'
-- own hooks write the rows (macros/windows); this model only creates the table.
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
