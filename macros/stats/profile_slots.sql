{# Per key and slot of `rows`: rows, distinct values, quantiles of the finite values, and the mode. #}
{% macro profile_slots(rows, key) %}
    {%- set branches = [] -%}
    {%- for slot in mlmon.monitored_slots('numeric') -%}
        {%- do branches.append(mlmon.profile_numeric(rows, key, slot)) -%}
    {%- endfor -%}
    {%- for slot in mlmon.monitored_slots('categorical') -%}
        {%- do branches.append(mlmon.profile_categorical(rows, key, slot)) -%}
    {%- endfor -%}
    {%- if branches -%}
        {{- return(branches | join("\n\n    union all\n")) -}}
    {%- endif -%}
    {%- set cells = [] -%}
    {%- for percent in mlmon.profile_percents() -%}
        {%- do cells.append("cast(0 as " ~ mlmon.type_double() ~ ") as p" ~ '%02d' % percent) -%}
    {%- endfor -%}
    {{- return(
        "select " ~ key ~ ", cast(null as " ~ dbt.type_string() ~ ") as slot, 0 as n_profiled,"
        ~ " 0 as n_distinct, " ~ cells | join(", ") ~ ", cast(null as " ~ dbt.type_string()
        ~ ") as modal_value, 0 as modal_n from " ~ rows ~ " where false"
    ) -}}
{% endmacro %}

{#
    The quantiles of a profile that are computed: the median, and the others where a monitor asks for the area profiles.
#}
{% macro profile_percents() %}
    {{- return(mlmon.all_profile_percents() if mlmon.is_asked_for('profiles') else [50]) -}}
{% endmacro %}

{% macro all_profile_percents() %}{{- return([1, 5, 25, 50, 75, 95, 99]) -}}{% endmacro %}

{% macro profile_numeric(rows, key, slot) %}
    {%- set percents = mlmon.profile_percents() %}
    select
        described.{{ key }},
        cast('{{ slot }}' as {{ dbt.type_string() }}) as slot,
        described.n_profiled,
        coalesce(frequencies.n_distinct, 0) as n_distinct,
        {%- for percent in percents %}
        described.{{ mlmon.quantile(percents, percent) }} as p{{ '%02d' % percent }},
        {%- endfor %}
        {{ mlmon.edge_text('frequencies.modal_value') }} as modal_value,
        frequencies.modal_n
    from (
        select
            {{ key }},
            count(*) as n_profiled,
            {{ mlmon.quantiles('case when ' ~ slot ~ ' - ' ~ slot ~ ' = 0 then ' ~ slot ~ ' end', percents) }}
        from {{ rows }}
        group by {{ key }}
    ) as described
    left join (
        select
            counted.{{ key }},
            count(*) as n_distinct,
            max(counted.n) as modal_n,
            min(case when counted.n = counted.most then counted.x end) as modal_value
        from (
            select
                {{ key }},
                {{ slot }} as x,
                count(*) as n,
                max(count(*)) over (partition by {{ key }}) as most
            from {{ rows }}
            where {{ slot }} is not null
            group by {{ key }}, {{ slot }}
        ) as counted
        group by counted.{{ key }}
    ) as frequencies
        on described.{{ key }} = frequencies.{{ key }}
{% endmacro %}

{% macro profile_categorical(rows, key, slot) %}
    select
        {{ key }},
        cast('{{ slot }}' as {{ dbt.type_string() }}) as slot,
        sum(n) as n_profiled,
        count(category) as n_distinct,
        {%- for percent in mlmon.profile_percents() %}
        cast(null as {{ mlmon.type_double() }}) as p{{ '%02d' % percent }},
        {%- endfor %}
        max(case when category_rank = 1 and category is not null then category end)
            as modal_value,
        max(case when category_rank = 1 and category is not null then n end) as modal_n
    from (
        select
            {{ key }},
            category,
            n,
            row_number() over (
                partition by {{ key }}
                order by
                    case when category is null then 1 else 0 end,
                    n desc,
                    {{ mlmon.byte_order('category') }}
            ) as category_rank
        from (
            select
                {{ key }},
                {{ slot }} as category,
                count(*) as n
            from {{ rows }}
            group by {{ key }}, {{ slot }}
        ) as counted
    ) as ranked
    group by {{ key }}
{% endmacro %}
