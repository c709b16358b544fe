{#
    Every request's KPIs of one kind (with labels, or without), from a CTE of requests that has the staged columns and slots,
    and mlmon_source, mlmon_monitor, mlmon_age, mlmon_segment_1, … One subquery a monitor gives the columns the names that
    expressions are written in; what is no number, infinite or beyond 1e140, where squares overflow, is missing.
#}
{% macro kpi_values(relation, needs_label) %}
    {%- set numbers = mlmon.kpi_numbers(needs_label) -%}
    {%- set passed = ['mlmon_source', 'mlmon_age'] -%}
    {%- for position in range(1, mlmon.slot_counts()['segment'] + 1) -%}
        {%- do passed.append('mlmon_segment_' ~ position) -%}
    {%- endfor -%}
    {%- set selects = [] -%}
    {%- for m in mlmon.monitors() -%}
        {%- set kpis = {} -%}
        {%- for kpi in m.kpis if kpi.number is not none and kpi.needs_label == needs_label -%}
            {%- do kpis.update({kpi.number: kpi}) -%}
        {%- endfor -%}
        {%- if kpis -%}
            {%- do selects.append(mlmon.kpi_values_of(m, relation, kpis, numbers, passed, needs_label)) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if not selects -%}
        {%- do selects.append("select " ~ passed | join(", ") ~ " from " ~ relation ~ " where false") -%}
    {%- endif -%}
    {{- return(selects | join("\n    union all\n    ")) -}}
{% endmacro %}

{% macro kpi_values_of(m, relation, kpis, numbers, passed, needs_label) -%}
    select
        {{ passed | join(",\n        ") }}
        {%- for number in numbers %},
        case
            when abs(kpi_{{ number }}) < 1e-140 then 0
            when abs(kpi_{{ number }}) < 1e140 then kpi_{{ number }}
        end as kpi_{{ number }}
        {%- endfor %}
    from (
        select
            {{ passed | join(",\n            ") }}
            {%- for number in numbers %},
            {%- if number in kpis %}
            /* mlmon_monitors.{{ m.name }}.kpis.{{ kpis[number].name }} */
            cast(({{ kpis[number].expression | trim }}) as {{ mlmon.type_double() }}) as kpi_{{ number }}
            {%- else %}
            cast(null as {{ mlmon.type_double() }}) as kpi_{{ number }}
            {%- endif %}
            {%- endfor %}
        from (
            select
                {{ passed | join(",\n                ") }}
                {%- for name, column in mlmon.kpi_names(m, needs_label).items() %},
                {{ column }} as {{ name }}
                {%- endfor %}
            from {{ relation }}
            where mlmon_monitor = {{ mlmon.text_literal(m.name) }}
        ) as requests_of_monitor
    ) as kpis_of_monitor
{%- endmacro %}

{#
    The names of an expression, each with its column: what every log has, then the features, then the segments that are no
    feature. Names that need no quotes are not quoted, so that they are written as in any SQL.
#}
{% macro kpi_names(m, needs_label) %}
    {%- set names = {} -%}
    {%- for name in ['prediction'] + (['label'] if needs_label else []) -%}
        {%- if m.task in mlmon.number_tasks() -%}
            {%- set column = mlmon.nan_to_null(name ~ '_value') -%}
        {%- elif m.task == 'binary' -%}
            {%- set column = "cast(" ~ name ~ "_class as integer)" -%}
        {%- else -%}
            {%- set column = name ~ '_class' -%}
        {%- endif -%}
        {%- do names.update({name: column}) -%}
    {%- endfor -%}
    {%- do names.update({
        'score': mlmon.nan_to_null('score'), 'latency_ms': mlmon.nan_to_null('latency_ms'),
        'outcome': 'outcome',
    }) -%}
    {%- set used = names.keys() | list -%}
    {%- for item in m.features + m.segments -%}
        {%- if item.name | lower not in used -%}
            {%- do used.append(item.name | lower) -%}
            {%- set name = item.name if modules.re.fullmatch('[A-Za-z_][A-Za-z0-9_]*', item.name)
                else adapter.quote(item.name) -%}
            {%- do names.update({
                name: mlmon.nan_to_null(item.slot) if item.slot.startswith('numeric') else item.slot,
            }) -%}
        {%- endif -%}
    {%- endfor -%}
    {{- return(names) -}}
{% endmacro %}

{# 1 to the most KPIs of a kind that any monitor has. #}
{% macro kpi_numbers(needs_label) %}
    {%- set counts = [0] -%}
    {%- for m in mlmon.monitors() -%}
        {%- do counts.append(
            m.kpis | selectattr('number') | selectattr('needs_label', 'equalto', needs_label) | list | length
        ) -%}
    {%- endfor -%}
    {{- return(range(1, (counts | max) + 1) | list) -}}
{% endmacro %}

{#
    Their sums by source, label age and segment, all KPIs of a row beside each other: squares are about the mean of the same
    rows, which is taken first, so that large values far from 0 keep their spread.
#}
{% macro kpi_sums(relation, needs_label) %}
    {%- set numbers = mlmon.kpi_numbers(needs_label) -%}
    {%- for position in range(0, mlmon.slot_counts()['segment'] + 1) %}
    {%- if not loop.first %}
    union all
    {%- endif %}
    select
        mlmon_source as source_key,
        mlmon_age as label_age,
        {{ position }} as segment_position,
        segment_value,
        count(*) as n_rows
        {%- for number in numbers %},
        count(kpi_{{ number }}) as n_{{ number }},
        sum(kpi_{{ number }}) as sum_{{ number }},
        -- A mean of equal values may differ from them in its last bit: they have no spread.
        case
            when min(kpi_{{ number }}) = max(kpi_{{ number }}) then min(kpi_{{ number }})
            else max(mean_{{ number }})
        end as mean_{{ number }},
        case
            when min(kpi_{{ number }}) = max(kpi_{{ number }}) then 0
            else sum({{ mlmon.square('(kpi_' ~ number ~ ' - mean_' ~ number ~ ')') }})
        end as squares_{{ number }}
        {%- endfor %}
    from (
        select
            mlmon_source,
            mlmon_age,
            {{ 'mlmon_segment_' ~ position if position else "cast('all' as " ~ dbt.type_string() ~ ")" }}
                as segment_value
            {%- for number in numbers %},
            kpi_{{ number }},
            avg(kpi_{{ number }}) over (
                partition by mlmon_source, mlmon_age
                {{- ', mlmon_segment_' ~ position if position }}
            ) as mean_{{ number }}
            {%- endfor %}
        from {{ relation }}
    ) as centred
    group by mlmon_source, mlmon_age, segment_value
    {%- endfor %}
{% endmacro %}

{# Below each other, with the names of the monitor's KPIs and segments; `sources` has source_key and monitor. #}
{% macro name_kpi_sums(summed, needs_label) %}
    {%- set double = mlmon.type_double() -%}
    select
        listed.source_key,
        sources.monitor,
        kpis.kpi,
        listed.label_age,
        coalesce(segments.segment_name, 'all') as segment_name,
        listed.segment_value,
        cast(listed.n as bigint) as n,
        cast(listed.n_rows - listed.n as bigint) as n_missing,
        listed.value_sum,
        listed.value_mean,
        listed.deviation_squares
    from (
        {%- for number in mlmon.kpi_numbers(needs_label) or [none] %}
        {%- if not loop.first %}
        union all
        {%- endif %}
        select
            source_key,
            label_age,
            segment_position,
            segment_value,
            n_rows,
            {%- if number is none %}
            cast(null as bigint) as kpi_number,
            cast(null as bigint) as n,
            cast(null as {{ double }}) as value_sum,
            cast(null as {{ double }}) as value_mean,
            cast(null as {{ double }}) as deviation_squares
            {%- else %}
            cast({{ number }} as bigint) as kpi_number,
            n_{{ number }} as n,
            sum_{{ number }} as value_sum,
            mean_{{ number }} as value_mean,
            squares_{{ number }} as deviation_squares
            {%- endif %}
        from {{ summed }}
        {%- endfor %}
    ) as listed
    inner join sources
        on listed.source_key = sources.source_key
    inner join ({{ mlmon.kpi_settings() }}) as kpis
        on
            sources.monitor = kpis.monitor
            and listed.kpi_number = kpis.kpi_number
            and {{ 'kpis.needs_label' if needs_label else 'not kpis.needs_label' }}
    left join ({{ mlmon.segment_settings() }}) as segments
        on
            sources.monitor = segments.monitor
            and listed.segment_position = segments.segment_position
    where listed.segment_position = 0 or segments.segment_name is not null
{% endmacro %}

{# The segments of one request as they are told apart, for kpi_values. They need segment_joins. #}
{% macro kpi_segments(relation) %}
    {%- for number in range(1, mlmon.slot_counts()['segment'] + 1) %},
        {{ mlmon.resolved_segment(
            relation ~ '.segment_' ~ number, 'segment_' ~ number ~ '_values'
        ) }} as mlmon_segment_{{ number }}
    {%- endfor %}
{%- endmacro %}

{#
    Sums of several sources as one, by the given columns: the squares are about the common mean (Chan, Golub and LeVeque 1983).
    `value` is the mean, `spread` the sample variance of one request, `variance` that of the mean.
#}
{% macro merged_kpi_sums(relation, columns) %}
    {%- set keys = columns | join(', ') %}
    select
        merged.*,
        value_sum / nullif(n, 0) as value,
        case when n > 1 then deviation_squares / (n - 1) end as spread,
        case when n > 1 then deviation_squares / (n - 1) / n end as variance
    from (
        select
            {{ keys }},
            cast(sum(n) as bigint) as n,
            cast(sum(n_missing) as bigint) as n_missing,
            sum(value_sum) as value_sum,
            sum(deviation_squares + n * {{ mlmon.square('(value_mean - common_mean)') }})
                as deviation_squares
        from (
            select
                parts.*,
                case
                    when
                        min(value_mean) over (partition by {{ keys }})
                        = max(value_mean) over (partition by {{ keys }})
                        then value_mean
                    else
                        sum(n * value_mean) over (partition by {{ keys }})
                        / nullif(sum(n) over (partition by {{ keys }}), 0)
                end as common_mean
            from {{ relation }} as parts
        ) as centred
        group by {{ keys }}
    ) as merged
{% endmacro %}
