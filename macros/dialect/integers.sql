{# A relation with one column `i`: the integers from 0 to `last`, both inclusive. #}
{% macro integers(last) %}
    {{- return(adapter.dispatch('integers', 'mlmon')(last)) -}}
{% endmacro %}

{% macro default__integers(last) %}
    {{- return("select cast(g.i as bigint) as i from generate_series(0, " ~ last ~ ") as g (i)") -}}
{% endmacro %}

{% macro spark__integers(last) %}
    {{- return("select explode(sequence(cast(0 as bigint), cast(" ~ last ~ " as bigint))) as i") -}}
{% endmacro %}
