{#
    SQL: the windows that spans are made of, and those of their moving references (is_reference), one by one: equal keys join
    faster than ranges. The given columns of the spans, is_reference, and the window as counted_key.
#}
{% macro compared_windows(spans, columns) %}
    {%- for version, first, last in [
        ('model_version', 'first_index', 'window_index'),
        ('compared_version', 'compared_first_index', 'compared_last_index'),
    ] %}
    {%- if not loop.first %}

    union all
    {% endif %}
    select
        {{ mlmon.qualified('spans', columns) }},
        {{ 'false' if loop.first else 'true' }} as is_reference,
        windows.window_key as counted_key
    from {{ spans }} as spans
    inner join {{ ref('mlmon', 'int_mlmon__version_windows') }} as windows
        on
            spans.monitor = windows.monitor
            and spans.{{ version }} = windows.model_version
            and windows.window_index between spans.{{ first }} and spans.{{ last }}
    {%- endfor %}
{%- endmacro %}

{# SQL: the windows of the fixed references that spans are compared with. #}
{% macro fixed_reference_windows(spans) %}
    select * from ({{ mlmon.reference_windows() }}) as reference_windows
    where
        reference_key in (
            select reference_key from {{ spans }}
            where compared_with = 'reference'
        )
{%- endmacro %}
