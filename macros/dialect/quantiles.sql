{#
    Several quantiles of one column (linear interpolation), sorted once where the warehouse can: quantiles() goes
    into the aggregate, quantile() takes the i-th of them out of its result in an outer select.
#}
{% macro quantiles(x, percents) %}
    {{- return(adapter.dispatch('quantiles', 'mlmon')(x, percents)) -}}
{% endmacro %}

{% macro quantile(percents, percent) %}
    {{- return(adapter.dispatch('quantile', 'mlmon')(percents, percent)) -}}
{% endmacro %}

{% macro default__quantiles(x, percents) %}
    {%- set columns = [] -%}
    {%- for percent in percents -%}
        {%- do columns.append(
            "percentile_cont(" ~ (percent / 100) | round(6) ~ ") within group (order by " ~ x
            ~ ") as quantile_" ~ percent | string | replace('.', '_')
        ) -%}
    {%- endfor -%}
    {{- return(columns | join(", ")) -}}
{% endmacro %}

{% macro default__quantile(percents, percent) %}
    {{- return("quantile_" ~ percent | string | replace('.', '_')) -}}
{% endmacro %}

{% macro duckdb__quantiles(x, percents) %}
    {%- set shares = [] -%}
    {%- for percent in percents -%}{%- do shares.append((percent / 100) | round(6)) -%}{%- endfor -%}
    {{- return("quantile_cont(" ~ x ~ ", [" ~ shares | join(", ") ~ "]) as quantile_list") -}}
{% endmacro %}

{% macro duckdb__quantile(percents, percent) %}
    {{- return("quantile_list[" ~ (percents.index(percent) + 1) ~ "]") -}}
{% endmacro %}

{% macro postgres__quantiles(x, percents) %}
    {%- set shares = [] -%}
    {%- for percent in percents -%}{%- do shares.append((percent / 100) | round(6)) -%}{%- endfor -%}
    {{- return(
        "percentile_cont(array[" ~ shares | join(", ") ~ "]) within group (order by " ~ x
        ~ ") as quantile_list"
    ) -}}
{% endmacro %}

{% macro postgres__quantile(percents, percent) %}
    {{- return("quantile_list[" ~ (percents.index(percent) + 1) ~ "]") -}}
{% endmacro %}
