{# The sentence beside a verdict on joint drift. #}
{% macro joint_drift_reason(r) %}
    {%- set value = "'AUC ' || " ~ mlmon.short_number(r ~ ".value") -%}
    {%- set limit = mlmon.short_number(r ~ ".threshold_warning") -%}
    {%- set most = "coalesce('; most: ' || " ~ r ~ ".top_column_name || coalesce(' with ' || " ~ r
        ~ ".second_column_name, ''), '') || '.'" -%}
    {{- return(
        "case " ~ r ~ ".reason_code"
        ~ " when 'no_features' then 'This monitor has no features.'"
        ~ " when 'needs_python' then 'This warehouse runs no Python model to measure it.'"
        ~ " when 'no_reference' then 'There is no reference to compare with.'"
        ~ " when 'no_rows' then 'No predictions in this span.'"
        ~ " when 'short_span' then 'Fewer than half the windows of this span exist.'"
        ~ " when 'sample_too_small' then cast(" ~ r ~ ".n_current as " ~ dbt.type_string()
        ~ ") || ' rows against ' || cast(" ~ r ~ ".n_reference as " ~ dbt.type_string()
        ~ ") || ' cannot tell a change of the threshold from chance.'"
        ~ " when 'above_warning' then 'The rows can be told from the reference: ' || " ~ value
        ~ " || ', limit ' || " ~ limit ~ " || " ~ most
        ~ " when 'could_be_chance' then " ~ value ~ " || ' is above its limit but could be chance.'"
        ~ " else " ~ value ~ " || ' is below its limit of ' || " ~ limit ~ " || '.' end"
    ) -}}
{% endmacro %}
