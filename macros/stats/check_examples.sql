{# How many values of a window, column and check are kept as examples. #}
{% macro examples_a_check() %}{{- return(5) -}}{% endmacro %}

{# A number for people: without the zeros at its end. #}
{% macro example_number(x) %}
    {%- set text = mlmon.edge_text(x) -%}
    {{- return(
        "case when abs(" ~ x ~ ") < 1e15 then rtrim(rtrim(" ~ text ~ ", '0'), '.') else " ~ text ~ " end"
    ) -}}
{% endmacro %}

{#
    Per window_number, slot, check and value of the numeric columns of `rows`: how many rows hold what they should not,
    and one request of them. Most rows pass every check: they are left before their columns are looked at one by one.
#}
{% macro number_examples(rows) %}
    {%- set slots = mlmon.numbered_slots('numeric') %}
    {%- if slots %}
    select
        cells.window_number,
        {{ mlmon.slot_name('cells.slot_number', slots) }} as slot,
        checks.check_name,
        case
            when cells.instead is not null then cells.instead
            else {{ mlmon.example_number('cells.x') }}
        end as example_value,
        count(*) as n,
        min({{ mlmon.byte_order('cells.request_id') }}) as example_request_id
    from (
        select
            failing.window_number,
            failing.request_id,
            slots.slot_number,
            {{ mlmon.slot_value('slots.slot_number', slots) }} as x,
            {{ mlmon.unusable_value(
                'failing.unusable_values', mlmon.slot_name('slots.slot_number', slots)
            ) }} as instead,
            failing.edge_set_number * {{ mlmon.monitored_slots('numeric') | length + 1 }}
            + slots.slot_number as edge_number
        from (
            select logged.*
            from {{ rows }} as logged
            inner join (
                select
                    edge_set_number
                    {%- for number, slot in slots.items() %},
                    max(case when slot = '{{ slot }}' then {{ mlmon.tightest('greatest', 'declared_min', 'outer_low') }} end)
                        as low_{{ number }},
                    max(case when slot = '{{ slot }}' then {{ mlmon.tightest('least', 'declared_max', 'outer_high') }} end)
                        as high_{{ number }}
                    {%- endfor %}
                from {{ ref('mlmon', 'int_mlmon__slot_edges') }}
                group by edge_set_number
            ) as limits
                on logged.edge_set_number = limits.edge_set_number
            where
                logged.unusable_values is not null
                {%- for number, slot in slots.items() %}
                or logged.{{ slot }} < limits.low_{{ number }}
                or logged.{{ slot }} > limits.high_{{ number }}
                or not (logged.{{ slot }} - logged.{{ slot }} = 0)
                {%- endfor %}
        ) as failing
        cross join (
            {%- for number in slots %}
            {{ 'union all ' if not loop.first }}select {{ number }} as slot_number
            {%- endfor %}
        ) as slots
        {{ mlmon.evaluated_once() }}
    ) as cells
    inner join {{ ref('mlmon', 'int_mlmon__slot_edges') }} as edges
        on cells.edge_number = edges.edge_number
    cross join (
        {%- for check in ['out_of_range', 'reference_range', 'not_finite', 'unparsable'] %}
        {{ 'union all ' if not loop.first }}select cast('{{ check }}' as {{ dbt.type_string() }}) as check_name
        {%- endfor %}
    ) as checks
    where
        case checks.check_name
            when 'out_of_range' then cells.x < edges.declared_min or cells.x > edges.declared_max
            when 'reference_range' then cells.x < edges.outer_low or cells.x > edges.outer_high
            when 'not_finite' then cells.instead = 'NaN' or not (cells.x - cells.x = 0)
            else cells.instead <> 'NaN'
        end
    group by 1, 2, 3, 4
    {%- else %}
    {{ mlmon.no_examples() }}
    {%- endif %}
{% endmacro %}

{# The narrower of two bounds, either of which may be NULL. #}
{% macro tightest(function, one, other) %}
    {{- return(
        function ~ "(coalesce(" ~ one ~ ", " ~ other ~ "), coalesce(" ~ other ~ ", " ~ one ~ "))"
    ) -}}
{% endmacro %}

{# Per window_number, slot and value of the categorical columns of `rows`: categories that the reference does not have. #}
{% macro category_examples(rows, keyed) %}
    {%- set slots = mlmon.numbered_slots('categorical') %}
    {%- if slots %}
    select
        counted.window_number,
        counted.slot,
        cast('unseen_category' as {{ dbt.type_string() }}) as check_name,
        counted.category as example_value,
        counted.n,
        counted.example_request_id
    from (
        select
            window_number,
            {{ mlmon.slot_name('slot_number', slots) }} as slot,
            category,
            count(*) as n,
            min({{ mlmon.byte_order('request_id') }}) as example_request_id
        from (
            select
                logged.window_number,
                logged.request_id,
                slots.slot_number,
                {{ mlmon.slot_value('slots.slot_number', slots) }} as category
            from {{ rows }} as logged
            cross join (
                {%- for number in slots %}
                {{ 'union all ' if not loop.first }}select {{ number }} as slot_number
                {%- endfor %}
            ) as slots
            {{ mlmon.evaluated_once() }}
        ) as cells
        where category is not null
        group by window_number, slot_number, category
    ) as counted
    inner join {{ keyed }} as keyed
        on counted.window_number = keyed.window_number
    where
        keyed.reference_key is not null
        and not exists (
            select 1 from {{ ref('mlmon', 'int_mlmon__reference_categories') }} as known
            where
                known.reference_key = keyed.reference_key
                and known.slot = counted.slot
                and known.category = counted.category
        )
    {%- else %}
    {{ mlmon.no_examples() }}
    {%- endif %}
{% endmacro %}

{% macro no_examples() %}
    {%- set text = dbt.type_string() -%}
    {{- return(
        "select cast(0 as bigint) as window_number, cast(null as " ~ text ~ ") as slot, cast(null as "
        ~ text ~ ") as check_name, cast(null as " ~ text ~ ") as example_value, cast(0 as bigint) as n,"
        ~ " cast(null as " ~ text ~ ") as example_request_id where false"
    ) -}}
{% endmacro %}
