{# What a verdict on labels says where they cannot be judged; NULL elsewhere. #}
{% macro unready_reason(r) %}
    {{- return(
        "case " ~ r ~ ".reason_code"
        ~ " when 'no_reference' then 'There are no labels of a reference to compare with.'"
        ~ " when 'immature' then 'Not all labels can have arrived yet.'"
        ~ " when 'labels_late' then 'Labels are late: ' || "
        ~ mlmon.percent_text(r ~ ".label_coverage") ~ " || ' arrived where ' || "
        ~ mlmon.percent_text(r ~ ".expected_label_coverage") ~ " || ' are usual.'"
        ~ " when 'short_span' then 'Fewer than half the windows of this span exist.'"
        ~ " when 'no_labels' then 'No labels in this span.' end"
    ) -}}
{% endmacro %}

{# The sentence beside a verdict on label drift. #}
{% macro label_drift_reason(r) %}
    {{- return(
        "coalesce(" ~ mlmon.unready_reason(r) ~ ", 'Labels: ' || " ~ mlmon.drift_reason(r) ~ ")"
    ) -}}
{% endmacro %}

{# The sentence beside a verdict on a feature's association with the label. #}
{% macro association_reason(r) %}
    {%- set values = mlmon.short_number(r ~ ".value") ~ " || ' against ' || "
        ~ mlmon.short_number(r ~ ".reference_value") ~ " || ' in the reference'" -%}
    {{- return(
        "coalesce(" ~ mlmon.unready_reason(r) ~ ", case " ~ r ~ ".reason_code"
        ~ " when 'undefined' then 'The feature or the label is constant, or too few have both.'"
        ~ " else " ~ r ~ ".method || ' with the label is ' || " ~ values ~ " || case " ~ r
        ~ ".reason_code"
        ~ " when 'above_critical' then ': what the feature says of the label has changed greatly.'"
        ~ " when 'above_warning' then ': what the feature says of the label has changed.'"
        ~ " when 'could_be_chance' then '; the change could be chance.'"
        ~ " when 'sample_too_small' then '; too few labels to tell a change of '"
        ~ " || '0.1 from chance.'"
        ~ " else '.' end end)"
    ) -}}
{% endmacro %}
