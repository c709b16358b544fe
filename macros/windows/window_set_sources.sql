{#
    SQL: one row per window set (int_mlmon__window_sets) and window whose labelled predictions it adds up, as source_key:
    a base window of the log or of a reference table. The metrics of a set are computed from the facts of these windows,
    with the labels that count at counted_age.
#}
{% macro window_set_sources() %}
    with

    window_sets as (
        select
            window_set_number,
            monitor,
            is_table,
            filled_version,
            first_filled_index,
            last_filled_index,
            counted_age,
            counted_age_days,
            min(reference_key) as reference_key,
            bool_or(is_default_span) as has_segments
        from {{ ref('mlmon', 'int_mlmon__window_sets') }}
        where counted_age is not null
        group by
            window_set_number, monitor, is_table, filled_version, first_filled_index, last_filled_index,
            counted_age, counted_age_days
    )

    {%- for relation in [ref('mlmon', 'int_mlmon__windows'), '(' ~ mlmon.reference_windows() ~ ')'] %}

    select
        window_sets.window_set_number,
        window_sets.monitor,
        window_sets.has_segments,
        window_sets.counted_age,
        window_sets.counted_age_days,
        windows.window_key as source_key
    from window_sets
    inner join {{ relation }} as windows
        on
            {%- if loop.first %}
            window_sets.monitor = windows.monitor
            and window_sets.filled_version in ('all', windows.model_version)
            and windows.window_index between window_sets.first_filled_index and window_sets.last_filled_index
            and windows.source = 'log'
            and windows.n_predictions > 0

    union all
            {%- else %}
            window_sets.is_table
            and window_sets.reference_key = windows.reference_key
            {%- endif %}
    {%- endfor %}
{% endmacro %}
