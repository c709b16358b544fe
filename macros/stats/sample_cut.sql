{#
    The hash below which about `wanted` of `n` rows lie, whose hashes are spread evenly below 2 ** 32; all of them
    where there are no more.
#}
{% macro sample_cut(n, wanted) %}
    {{- return(
        "cast(case when " ~ n ~ " <= " ~ wanted ~ " then 4294967296.0 else floor(4294967296.0 * "
        ~ wanted ~ " / " ~ n ~ ") end as bigint)"
    ) -}}
{% endmacro %}
