{# The value a row's segment is shown under: itself where it is told apart, else __missing__ or __other__. #}
{% macro resolved_segment(slot, known) %}
    {{- return(
        "case when " ~ slot ~ " is null then '__missing__' when " ~ known
        ~ ".segment_value is null then '__other__' else " ~ slot ~ " end"
    ) -}}
{% endmacro %}

{#
    Joins to `rows` the segment values that are told apart in their windows, one join a segment slot, for
    resolved_segment: segment_1_values and so on. They are the values that the monitor declares, else those of the
    reference. `windows` is a relation or CTE with monitor, reference_key and the last part of `key`, and `key` finds
    the window of a row.
#}
{% macro segment_joins(rows, key, windows='stale') %}
    {%- set column = key.split('.') | last %}
    {%- for number in range(1, mlmon.slot_counts()['segment'] + 1) %}
    left join (
        select
            windows.{{ column }},
            declared.segment_value
        from {{ windows }} as windows
        inner join ({{ mlmon.declared_segment_values() }}) as declared
            on
                windows.monitor = declared.monitor
                and declared.slot = 'segment_{{ number }}'

        union all

        select
            windows.{{ column }},
            known.category as segment_value
        from {{ windows }} as windows
        inner join ({{ mlmon.segment_settings() }}) as segments
            on
                windows.monitor = segments.monitor
                and segments.slot = 'segment_{{ number }}'
                and not segments.is_declared
        inner join {{ ref('mlmon', 'int_mlmon__reference_categories') }} as known
            on
                windows.reference_key = known.reference_key
                and segments.segment_name = known.column_name
                and known.is_segment
    ) as segment_{{ number }}_values
        on
            {{ key }} = segment_{{ number }}_values.{{ column }}
            and {{ rows }}.segment_{{ number }} = segment_{{ number }}_values.segment_value
    {%- endfor %}
{%- endmacro %}
