{# The window keys every windowed mart begins with (block K of docs/tables.md), from a CTE with spans. #}
{% macro window_columns(relation) %}
{{ relation }}.monitor_key,
    {{ relation }}.monitor,
    {{ relation }}.model_version,
    {{ relation }}.window_start,
    {{ relation }}.window_end,
    {{ relation }}.window_date,
    cast({{ relation }}.span_windows as integer) as span_windows
{%- endmacro %}
