{#
    The identity of an alert: the hash of its sorted labels. Severity and value are not
    in it, so that a warning that turns critical stays one alert. A `|` inside a label
    is doubled, so no two sets of labels share a text.
#}
{% macro series_id(labels) -%}
    {%- set parts = [] -%}
    {%- for label, expression in labels | dictsort -%}
        {%- set value = "replace(" ~ expression ~ ", '|', '||')" -%}
        {%- do parts.append("'" ~ label ~ "=' || " ~ value) -%}
    {%- endfor -%}
    md5(
        {{ parts | join("\n        || '|' || ") }}
    )
{%- endmacro %}
