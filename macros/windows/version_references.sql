{#
    SQL: every version of a monitor and 'all', with the reference whose metrics it is compared with, and the version
    before it. All versions together have a reference if they share one, and none before them.
#}
{% macro version_references() %}
    with

    served_versions as (
        {{ mlmon.versions() | indent(4) }}
    )

    select
        monitor,
        model_version,
        reference_key,
        lag(model_version) over (
            partition by monitor order by first_index, last_index, model_version
        ) as previous_version
    from served_versions
    union all
    select
        monitor,
        cast('all' as {{ dbt.type_string() }}) as model_version,
        case when count(distinct coalesce(reference_key, '')) = 1 then max(reference_key) end
            as reference_key,
        cast(null as {{ dbt.type_string() }}) as previous_version
    from served_versions
    group by monitor
{% endmacro %}
