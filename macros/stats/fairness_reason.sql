{# The sentence beside a verdict on the difference between a group and all others. #}
{% macro fairness_reason(r) %}
    {{- return(
        "coalesce(" ~ mlmon.unready_reason(r) ~ ", case " ~ r ~ ".reason_code"
        ~ " when 'one_group' then 'There is no other group to compare with.'"
        ~ " when 'undefined' then 'The rate is undefined: the group or the others have no such predictions.'"
        ~ " else " ~ r ~ ".metric || ' is ' || " ~ mlmon.short_number(r ~ ".value")
        ~ " || ' in this group against ' || " ~ mlmon.short_number(r ~ ".others_value")
        ~ " || ' in all others' || case " ~ r ~ ".reason_code"
        ~ " when 'above_critical' then ': a critical difference.'"
        ~ " when 'above_warning' then ': a difference.'"
        ~ " when 'could_be_chance' then ': a difference that could be chance.'"
        ~ " when 'sample_too_small' then '; too few labels to tell a difference of 0.1 from chance.'"
        ~ " else '.' end end)"
    ) -}}
{% endmacro %}
