{# The rows of a mart at the newest closed window end of each monitor, version and span. #}
{% macro latest_rows(mart) %}
with

rows_of_mart as (
    select * from {{ ref('mlmon', mart) }}
),

monitors as (
    select
        monitor_key,
        default_span_windows,
        is_current_version
    from {{ ref('mlmon', 'dim_mlmon__monitors') }}
),

default_spans as (
    select
        monitor,
        max(default_span_windows) as default_span_windows
    from {{ ref('mlmon', 'dim_mlmon__monitors') }}
    group by monitor
),

newest as (
    select
        monitor_key,
        span_windows,
        max(window_end) as window_end
    from rows_of_mart
    group by monitor_key, span_windows
)

select
    rows_of_mart.*,
    coalesce(monitors.is_current_version, rows_of_mart.model_version = 'all')
        as is_current_version
    {#- Checks have but one span, of one window. #}
    {%- if mart != 'fct_mlmon__quality_checks' %},
    rows_of_mart.span_windows = default_spans.default_span_windows as is_default_span
    {%- endif %}
from rows_of_mart
inner join newest
    on
        rows_of_mart.monitor_key = newest.monitor_key
        and rows_of_mart.span_windows = newest.span_windows
        and rows_of_mart.window_end = newest.window_end
inner join default_spans
    on rows_of_mart.monitor = default_spans.monitor
left join monitors
    on rows_of_mart.monitor_key = monitors.monitor_key
{% endmacro %}
