{#
    SQL: the rows of the references that are stale, with reference_key, edge_set_number and the given columns of staging; numbers
    without NaN. A reference in the log is its successful predictions, which have no label_value.
#}
{% macro stale_reference_rows(columns) %}
    with

    stale as (
        select reference_facts.*
        from {{ ref('mlmon', 'int_mlmon__stale_windows') }} as stale
        inner join {{ ref('mlmon', 'int_mlmon__references') }} as reference_facts
            on
                stale.facts = 'references'
                and stale.window_key = reference_facts.reference_key
    )

    {%- set numbers = ['score', 'prediction_value', 'label_value'] + mlmon.class_score_slots() %}
    {%- for relation in ['stg_mlmon__references', 'int_mlmon__resolved_predictions'] %}
    {%- set is_table = loop.first %}

    select
        stale.reference_key,
        stale.edge_set_number
        {%- for column in columns %},
        {% if column == 'label_value' and not is_table -%}
        cast(null as {{ mlmon.type_double() }})
        {%- elif column in numbers or column.startswith('numeric') -%}
        {{ mlmon.nan_to_null('logged.' ~ column) }}
        {%- else -%}
        logged.{{ column }}
        {%- endif %} as {{ column }}
        {%- endfor %}
    from {{ ref('mlmon', relation) }} as logged
    inner join stale
        on
            logged.monitor = stale.monitor
            {%- if is_table %}
            and logged.reference_version = stale.reference_version
    where stale.reference_kind = 'table'

    union all
    {%- else %}
            and logged.window_index between stale.first_index and stale.last_index
            and stale.logged_version in ('all', logged.model_version)
    where
        stale.reference_kind <> 'table'
        and logged.is_counting
        and logged.is_success
    {%- endif %}
    {%- endfor %}
{% endmacro %}
