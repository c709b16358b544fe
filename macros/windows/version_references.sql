{#
    SQL: every version of a monitor and 'all', with the reference whose metrics it is compared with. All versions
    together have a reference if they share one.
#}
{% macro version_references() %}
    select
        monitor,
        model_version,
        reference_key
    from {{ ref('mlmon', 'int_mlmon__versions') }}
    union all
    select
        monitor,
        cast('all' as {{ dbt.type_string() }}) as model_version,
        case when count(distinct coalesce(reference_key, '')) = 1 then max(reference_key) end
            as reference_key
    from {{ ref('mlmon', 'int_mlmon__versions') }}
    group by monitor
{% endmacro %}
