{# What each class adds to an estimated metric, and its gradient: those of counted classes, and accuracy. #}
{% macro expected_parts(classes) %}
    {{ mlmon.multiclass_parts(classes) }}
    union all

    select
        population_number,
        segment_name,
        segment_value,
        class_label,
        n_rows,
        n_excluded,
        cast('accuracy' as {{ dbt.type_string() }}) as metric,
        n_hits / n_rows as part,
        1.0 / n_rows as by_hits,
        0 as by_labels,
        0 as by_predicted,
        cast(null as {{ mlmon.type_double() }}) as below,
        cast(null as {{ mlmon.type_double() }}) as above
    from {{ classes }}
{% endmacro %}

{#
    The variance of what a prediction adds to a metric, if its label is drawn with the smoothed probabilities of the classes: a
    label of class c moves the metric by slope_c (by_label_c of `gradient`), and by by_hits of `predicted` more where c is
    the predicted class.
#}
{% macro label_draw_variance(row, gradient, predicted) %}
    {%- set means = [] -%}
    {%- set squares = [] -%}
    {%- for slot in mlmon.class_score_slots() -%}
        {%- set probability = "coalesce(" ~ row ~ ".smoothed_" ~ loop.index ~ ", 0)" -%}
        {%- set slope -%}
            (coalesce({{ gradient }}.by_label_{{ loop.index }}, 0) + case when {{ row }}.predicted_number = {{ loop.index }} then coalesce({{ predicted }}.by_hits, 0) else 0 end)
        {%- endset -%}
        {%- do means.append(probability ~ " * " ~ slope) -%}
        {%- do squares.append(probability ~ " * " ~ mlmon.square(slope)) -%}
    {%- endfor -%}
    {{- return("(" ~ squares | join(" + ") ~ " - " ~ mlmon.square("(" ~ means | join(" + ") ~ ")") ~ ")") -}}
{% endmacro %}
