{#
    What a rule looks at in a row of fct_mlmon__metrics: the number itself, its change
    against the number it is expected to be (also as a share of that number), or the rank
    of its verdict. `judged` asks
    for NULL where the row cannot carry a judgement: too few samples, insufficient data
    or (for a rank) no verdict at all. NULL keeps an alert as it is.
#}
{% macro rule_measure(metrics, rules, judged=false) -%}
    case
        {%- if judged %}
        when {{ metrics }}.status = 'insufficient_data' then null
        when coalesce({{ metrics }}.n, 0) < {{ rules }}.min_samples then null
        when
            {{ rules }}.measure = 'status_rank'
            and {{ metrics }}.status in ('no_reference', 'not_judged')
            then null
        {%- endif %}
        when {{ rules }}.measure = 'status_rank'
            then cast({{ metrics }}.status_rank as {{ mlmon.type_double() }})
        when {{ rules }}.measure = 'change'
            then {{ metrics }}.value - {{ metrics }}.reference_value
        when {{ rules }}.measure = 'relative_change'
            then
                ({{ metrics }}.value - {{ metrics }}.reference_value)
                / nullif(abs({{ metrics }}.reference_value), 0)
        else {{ metrics }}.value
    end
{%- endmacro %}
