{#
    The windows of the stale references: one row per reference and base window in which it has rows, numbered for this run;
    window_index is -1 for rows without a time.
#}
{% macro reference_windows() %}
    select
        row_number() over (
            order by reference_windows.reference_key, reference_windows.window_index
        ) as reference_window,
        reference_windows.reference_key,
        reference_windows.window_index,
        reference_facts.monitor
    from (
        select distinct
            reference_key,
            window_index
        from {{ ref('mlmon', 'int_mlmon__stale_reference_rows') }}
    ) as reference_windows
    inner join {{ ref('mlmon', 'int_mlmon__references') }} as reference_facts
        on reference_windows.reference_key = reference_facts.reference_key
{% endmacro %}

{# The rows of the stale references with segment values that are told apart, and the number of their window. #}
{% macro resolved_reference_rows(windows) %}
    select
        windows.reference_window,
        logged.reference_key,
        logged.edge_set_number,
        logged.prediction_class,
        logged.unusable_values,
        logged.prediction_value,
        logged.score
        {%- for slot in mlmon.slot_names() %},
        {{ mlmon.resolved_segment('logged.' ~ slot, slot ~ '_values')
            if slot.startswith('segment') else 'logged.' ~ slot }} as {{ slot }}
        {%- endfor %}
    from {{ ref('mlmon', 'int_mlmon__stale_reference_rows') }} as logged
    inner join {{ windows }} as windows
        on
            logged.reference_key = windows.reference_key
            and logged.window_index = windows.window_index
    {%- for number in range(1, mlmon.slot_counts()['segment'] + 1) %}
    left join {{ ref('mlmon', 'int_mlmon__slot_segments') }} as segment_{{ number }}_values
        on
            logged.edge_set_number = segment_{{ number }}_values.edge_set_number
            and segment_{{ number }}_values.slot = 'segment_{{ number }}'
            and logged.segment_{{ number }} = segment_{{ number }}_values.segment_value
    {%- endfor %}
{% endmacro %}
