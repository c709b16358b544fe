-- One row per quality check of any kind, with its finding, in one shape: what fct_mlmon__quality_checks rates.
{{ config(materialized='view') }}
{%- for kind in ['column', 'table', 'usual', 'volume', 'class', 'schema'] %}

{{ 'union all\n' if not loop.first }}
select
    monitor_key,
    monitor,
    model_version,
    window_start,
    window_end,
    window_date,
    segment_name,
    segment_value,
    column_name,
    column_role,
    column_kind,
    check_name,
    check_group,
    value,
    reference_value,
    expected_low,
    expected_high,
    n_checked,
    n_failed,
    reason_code,
    found
from {{ ref('int_mlmon__' ~ kind ~ '_checks') }}
{%- endfor %}
