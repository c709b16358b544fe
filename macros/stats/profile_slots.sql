{# Per key and slot: rows, missing, zeros, distinct values, values outside the declared range, quantiles, mode. #}
{% macro profile_slots(rows, key, touched) %}
    {%- set branches = [] -%}
    {%- set limits = mlmon.declared_limits() -%}
    {%- for slot in mlmon.monitored_slots('numeric') -%}
        {%- do branches.append(
            mlmon.profile_numeric(rows, key, touched, slot, limits.get(slot, []))
        ) -%}
    {%- endfor -%}
    {%- for slot in mlmon.monitored_slots('categorical') -%}
        {%- do branches.append(mlmon.profile_categorical(rows, key, slot)) -%}
    {%- endfor -%}
    {%- if branches -%}
        {{- return(branches | join("\n\n    union all\n")) -}}
    {%- endif -%}
    {%- set cells = [] -%}
    {%- for percent in ['01', '05', '25', '50', '75', '95', '99'] -%}
        {%- do cells.append("cast(0 as " ~ mlmon.type_double() ~ ") as p" ~ percent) -%}
    {%- endfor -%}
    {{- return(
        "select " ~ key ~ ", cast(null as " ~ dbt.type_string() ~ ") as slot, 0 as n_rows,"
        ~ " 0 as n_missing, 0 as n_zeros, 0 as n_distinct, 0 as n_out_of_range, "
        ~ cells | join(", ") ~ ", cast(null as " ~ dbt.type_string() ~ ") as modal_value,"
        ~ " 0 as modal_n from " ~ touched ~ " where false"
    ) -}}
{% endmacro %}

{# Per numeric slot, the branches of a CASE that is 1 outside the range a monitor declares for its column. #}
{% macro declared_limits() %}
    {%- set limits = {} -%}
    {%- for m in mlmon.monitors() -%}
        {%- for column in m.monitored if column.min is not none or column.max is not none -%}
            {%- set outside = [] -%}
            {%- if column.min is not none -%}{%- do outside.append("x < " ~ column.min) -%}{%- endif -%}
            {%- if column.max is not none -%}{%- do outside.append("x > " ~ column.max) -%}{%- endif -%}
            {%- do limits.setdefault(column.slot, []).append(
                "when monitor = " ~ mlmon.text_literal(m.name) ~ " and ("
                ~ outside | join(" or ") ~ ") then 1"
            ) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{- return(limits) -}}
{% endmacro %}

{% macro profile_numeric(rows, key, touched, slot, limits) %}
    {%- set percents = [1, 5, 25, 50, 75, 95, 99] %}
    select
        described.{{ key }},
        described.slot,
        described.n_rows,
        described.n_missing,
        described.n_zeros,
        coalesce(frequencies.n_distinct, 0) as n_distinct,
        described.n_out_of_range,
        {%- for percent in percents %}
        described.{{ mlmon.quantile(percents, percent) }} as p{{ '%02d' % percent }},
        {%- endfor %}
        {{ mlmon.edge_text('frequencies.modal_value') }} as modal_value,
        frequencies.modal_n
    from (
    select
        {{ key }},
        cast('{{ slot }}' as {{ dbt.type_string() }}) as slot,
        count(*) as n_rows,
        sum(case when x is null then 1 else 0 end) as n_missing,
        sum(case when x = 0 then 1 else 0 end) as n_zeros,
        sum({{ "case " ~ limits | join(" ") ~ " else 0 end" if limits else "0" }})
            as n_out_of_range,
        {{ mlmon.quantiles('case when x - x = 0 then x end', percents) }}
    from (
        select
            logged.{{ key }},
            {%- if limits %}
            touched.monitor,
            {%- endif %}
            logged.{{ slot }} as x
        from {{ rows }} as logged
        {%- if limits %}
        inner join {{ touched }} as touched
            on logged.{{ key }} = touched.{{ key }}
        {%- endif %}
    ) as logged_values
    group by {{ key }}
    ) as described
    left join (
        select
            counted.{{ key }},
            count(*) as n_distinct,
            max(most.n) as modal_n,
            min(case when counted.n = most.n then counted.x end) as modal_value
        from ({{ mlmon.value_counts(rows, key, slot) }}) as counted
        inner join (
            select
                {{ key }},
                max(n) as n
            from ({{ mlmon.value_counts(rows, key, slot) }}) as counted
            group by {{ key }}
        ) as most
            on counted.{{ key }} = most.{{ key }}
        group by counted.{{ key }}
    ) as frequencies
        on described.{{ key }} = frequencies.{{ key }}
{% endmacro %}

{# How often each value occurs, per key. #}
{% macro value_counts(rows, key, slot) %}
                select
                    {{ key }},
                    {{ slot }} as x,
                    count(*) as n
                from {{ rows }}
                where {{ slot }} is not null
                group by {{ key }}, {{ slot }}
            {% endmacro %}

{% macro profile_categorical(rows, key, slot) %}
    select
        {{ key }},
        cast('{{ slot }}' as {{ dbt.type_string() }}) as slot,
        sum(n) as n_rows,
        sum(case when category is null then n else 0 end) as n_missing,
        cast(null as bigint) as n_zeros,
        count(category) as n_distinct,
        0 as n_out_of_range,
        {%- for percent in [1, 5, 25, 50, 75, 95, 99] %}
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
