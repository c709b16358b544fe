{#
    How badly a value breaks a rule: 2 critical, 1 warning, 0 not at all, NULL without a
    value. `limits` is the relation that holds warning_lower, warning_upper,
    critical_lower, critical_upper; a limit the rule does not have is NULL and breaks
    nothing.
#}
{% macro breach_level(value, limits) -%}
    case
        when {{ value }} is null then null
        when
            {{ value }} > {{ limits }}.critical_upper
            or {{ value }} < {{ limits }}.critical_lower
            then 2
        when
            {{ value }} > {{ limits }}.warning_upper
            or {{ value }} < {{ limits }}.warning_lower
            then 1
        else 0
    end
{%- endmacro %}
