{#
    The identity of an alert: the hash of its sorted labels. Severity and value are not
    in it, so that a warning that turns critical stays one alert. A `|` inside a label
    is doubled, so no two sets of labels share a text.
#}
{% macro series_id() -%}
    {%- set labels = [
        'class_label', 'column_name', 'column_role', 'label_age', 'metric', 'model_version', 'monitor', 'rule',
        'segment_name', 'segment_value',
    ] -%}
    {%- set parts = [] -%}
    {%- for label in labels -%}
        {%- set column = 'rule_id' if label == 'rule' else label -%}
        {%- do parts.append("'" ~ label ~ "=' || replace(" ~ column ~ ", '|', '||')") -%}
    {%- endfor -%}
    md5(
        {{ parts | join("\n        || '|' || ") }}
    )
{%- endmacro %}
