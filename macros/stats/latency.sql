{# Count, sum, sum of squares, exact quantiles (linear interpolation) and maximum of a latency in ms. #}
{% macro latency_sums(x) %}
count({{ x }}) as n_latency,
        sum({{ x }}) as latency_sum_ms,
        sum({{ x }} * {{ x }}) as latency_sum_squares,
        {{ mlmon.quantiles(x, [50, 90, 95, 99]) }},
        max({{ x }}) as latency_max_ms
{%- endmacro %}

{#
    Latencies are counted in buckets a factor 1.02 apart, bucket b holding (1.02^(b-1), 1.02^b] ms. The
    geometric middle of a bucket is within 1 % of everything in it. Zero has bucket -100000.
#}
{% macro latency_bucket(x) %}
    {{- return(
        "case when " ~ x ~ " < 1e-12 then -100000 else cast(ceil(ln(" ~ x ~ ") / ln(cast(1.02 as "
        ~ mlmon.type_double() ~ "))) as bigint) end"
    ) -}}
{% endmacro %}

{% macro latency_of_bucket(bucket) %}
    {{- return(
        "case when " ~ bucket ~ " = -100000 then cast(0 as " ~ mlmon.type_double() ~ ") else exp((cast("
        ~ bucket ~ " as " ~ mlmon.type_double() ~ ") - 0.5) * ln(cast(1.02 as "
        ~ mlmon.type_double() ~ "))) end"
    ) -}}
{% endmacro %}
