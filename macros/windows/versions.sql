{#
    SQL: one row per monitor and version that the log holds: when it served, whether it is the current one, and which
    reference it is compared with, its own or the one that serves all.
#}
{% macro versions() %}
    select
        {{ mlmon.monitor_key('ranked.monitor', 'ranked.model_version') }} as monitor_key,
        ranked.monitor,
        ranked.model_version,
        ranked.first_index,
        ranked.last_index,
        ranked.first_predicted_at,
        ranked.last_predicted_at,
        ranked.is_current_version,
        coalesce(own_reference.reference_key, shared_reference.reference_key) as reference_key,
        coalesce(own_reference.reference_hash, shared_reference.reference_hash) as reference_hash,
        coalesce(own_reference.n_reference, shared_reference.n_reference) as n_reference
    from (
        select
            served.*,
            row_number() over (
                partition by monitor
                order by first_index desc, last_index desc, model_version desc
            ) = 1 as is_current_version
        from (
            select
                monitor,
                model_version,
                min(window_index) as first_index,
                max(window_index) as last_index,
                min(first_predicted_at) as first_predicted_at,
                max(last_predicted_at) as last_predicted_at
            from {{ ref('mlmon', 'int_mlmon__windows') }}
            where source = 'log' and n_predictions > 0
            group by monitor, model_version
        ) as served
    ) as ranked
    {{ mlmon.references_of('ranked', 'ranked.model_version') }}
{%- endmacro %}

{# The joins of each row's own reference, and of the one that serves all versions of its monitor. #}
{% macro references_of(rows, version) %}
    left join {{ ref('mlmon', 'int_mlmon__references') }} as own_reference
        on
            {{ rows }}.monitor = own_reference.monitor
            and {{ version }} = own_reference.reference_version
    left join {{ ref('mlmon', 'int_mlmon__references') }} as shared_reference
        on
            {{ rows }}.monitor = shared_reference.monitor
            and shared_reference.reference_version = 'all'
{%- endmacro %}
