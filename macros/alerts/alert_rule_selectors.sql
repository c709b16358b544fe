{#
    The columns of a rule that say what it is about, the most telling first, each with
    what it means where it is left out.
#}
{% macro alert_rule_selectors() %}
    {{- return({
        'monitor': '*',
        'model_version': '*',
        'metric': '',
        'column_role': '*',
        'column_name': '*',
        'class_label': 'all',
        'segment_name': 'all',
        'segment_value': '*',
        'label_age': 'horizon',
    }) -}}
{% endmacro %}
