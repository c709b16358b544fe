{#
    The spans that operations are shown for: of every version and all together each closed span, and the open windows
    by themselves. Operations and outcomes are summed over these.
#}
{% macro operation_spans() %}
    {%- set columns = [
        'monitor_key', 'monitor', 'model_version', 'window_index', 'window_start', 'window_end', 'window_date'
    ] | join(',\n        ') -%}
    select
        {{ columns }},
        first_index,
        span_windows,
        is_default_span,
        true as is_closed
    from {{ ref('mlmon', 'int_mlmon__spans') }}

    union all

    select
        {{ columns }},
        window_index as first_index,
        1 as span_windows,
        false as is_default_span,
        is_closed
    from {{ ref('mlmon', 'int_mlmon__version_windows') }}
    where not is_closed
{%- endmacro %}
