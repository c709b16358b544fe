{# The variance behind a performance row: of a proportion from its value and n, of f1 from its delta interval. #}
{% macro interval_variance(p) %}
    {{- return(
        "case when " ~ p ~ ".metric = 'f1' then coalesce(power(greatest(" ~ p ~ ".value_high - "
        ~ p ~ ".value, " ~ p ~ ".value - " ~ p ~ ".value_low) / 1.959963984540054, 2), 0) else "
        ~ p ~ ".value * (1 - " ~ p ~ ".value) / nullif(" ~ p ~ ".n, 0) end"
    ) -}}
{% endmacro %}
