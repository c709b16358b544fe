{# A timestamp moved by a whole number of seconds, minutes, hours or days (a column or a literal). #}
{% macro add_time(timestamp, number, unit) %}
    {{- return(adapter.dispatch('add_time', 'mlmon')(timestamp, number, unit)) -}}
{% endmacro %}

{% macro default__add_time(timestamp, number, unit) %}
    {{- return("(" ~ timestamp ~ " + (" ~ number ~ ") * interval '1 " ~ unit ~ "')") -}}
{% endmacro %}

{% macro snowflake__add_time(timestamp, number, unit) %}
    {{- return("dateadd(" ~ unit ~ ", " ~ number ~ ", " ~ timestamp ~ ")") -}}
{% endmacro %}

{% macro bigquery__add_time(timestamp, number, unit) %}
    {{- return("datetime_add(" ~ timestamp ~ ", interval " ~ number ~ " " ~ unit ~ ")") -}}
{% endmacro %}

{% macro redshift__add_time(timestamp, number, unit) %}
    {{- return("dateadd(" ~ unit ~ ", " ~ number ~ ", " ~ timestamp ~ ")") -}}
{% endmacro %}
