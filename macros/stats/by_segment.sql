{#
    The rows of a relation once for the whole (position 0) and, where `condition` holds, once per segment column: with
    segment_position and segment_value. Where a segment column is named see named_segments().
#}
{% macro rows_by_segment(relation, condition) %}
    {%- for position in range(0, mlmon.slot_counts()['segment'] + 1) %}
    {%- if not loop.first %}

    union all
    {% endif %}
    select
        rows_of_relation.*,
        cast({{ position }} as bigint) as segment_position,
        {{ 'rows_of_relation.segment_' ~ position if position else "cast('all' as " ~ dbt.type_string() ~ ")" }}
            as segment_value
    from {{ relation }} as rows_of_relation
    {%- if position %}
    where rows_of_relation.{{ condition }}
    {%- endif %}
    {%- endfor %}
{% endmacro %}

{# The rows of a relation with monitor and segment_position, with segment_name; without those of no segment of the monitor. #}
{% macro named_segments(relation) %}
    select
        placed.*,
        case when placed.segment_position = 0 then 'all' else segments.segment_name end as segment_name
    from {{ relation }} as placed
    left join ({{ mlmon.segment_settings() }}) as segments
        on
            placed.monitor = segments.monitor
            and placed.segment_position = segments.segment_position
    where placed.segment_position = 0 or segments.segment_name is not null
{% endmacro %}
