{#
    Whether a rule's `metric` names a metric: by its whole name, or by its beginning and
    a `*`.
#}
{% macro rule_names_metric(rule_metric, metric) -%}
    (
        {{ metric }} = {{ rule_metric }}
        or (
            {{ rule_metric }} like '%*'
            and substr({{ metric }}, 1, length({{ rule_metric }}) - 1)
            = substr({{ rule_metric }}, 1, length({{ rule_metric }}) - 1)
        )
    )
{%- endmacro %}
