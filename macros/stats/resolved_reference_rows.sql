{#
    The rows of the touched references with segment values that are told apart, and the window of the reference
    they fall into as one number for grouping: reference_window.
#}
{% macro resolved_reference_rows() %}
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
    from {{ ref('mlmon', 'int_mlmon__touched_reference_rows') }} as logged
    inner join {{ ref('mlmon', 'int_mlmon__touched_reference_windows') }} as windows
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
