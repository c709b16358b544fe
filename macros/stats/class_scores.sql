{# Whether all of a row's n class scores are there and from 0 to 1, which is all that scikit-learn's log_loss asks of them. #}
{% macro are_probabilities(relation, n_classes) %}
    {%- set conditions = [] -%}
    {%- for slot in mlmon.class_score_slots() -%}
        {%- set score = relation ~ "." ~ slot -%}
        {%- do conditions.append(
            "(" ~ loop.index ~ " > " ~ n_classes ~ " or (" ~ score ~ " >= 0 and " ~ score ~ " <= 1))"
        ) -%}
    {%- endfor -%}
    {{- return("(" ~ (conditions | join(" and ") or "false") ~ ")") -}}
{% endmacro %}

{# What a row's n class scores add up to; NULL where one of them is missing. #}
{% macro sum_of_class_scores(relation, n_classes) %}
    {%- set terms = [] -%}
    {%- for slot in mlmon.class_score_slots() -%}
        {%- do terms.append(
            "case when " ~ loop.index ~ " <= " ~ n_classes ~ " then " ~ relation ~ "." ~ slot ~ " else 0 end"
        ) -%}
    {%- endfor -%}
    {{- return("(" ~ (terms | join(" + ") or "0") ~ ")") -}}
{% endmacro %}

{# The class score of a number, which is a column of another relation. #}
{% macro score_of_class(relation, number) %}
    {%- set branches = [] -%}
    {%- for slot in mlmon.class_score_slots() -%}
        {%- do branches.append("when " ~ loop.index ~ " then " ~ relation ~ "." ~ slot) -%}
    {%- endfor -%}
    {{- return(
        "case " ~ number ~ " " ~ branches | join(" ") ~ " end" if branches
        else "cast(null as " ~ mlmon.type_double() ~ ")"
    ) -}}
{% endmacro %}
