{#
    One row per monitor, column, span and method: the thresholds that hold. They are those of the seed drift_thresholds; of
    its rows that match, the one with the most exact matches wins. `columns` is a relation of monitor, column_name and
    column_role.
#}
{% macro drift_thresholds(columns) %}
    select
        monitor,
        column_name,
        span_windows,
        method,
        warning,
        critical,
        is_deciding
    from (
        select
            columns.monitor,
            columns.column_name,
            spans.span_windows,
            thresholds.method,
            {{ mlmon.try_double('thresholds.warning') }} as warning,
            {{ mlmon.try_double('thresholds.critical') }} as critical,
            lower(cast(thresholds.is_deciding as {{ dbt.type_string() }})) in ('true', 't', '1')
                as is_deciding,
            row_number() over (
                partition by
                    columns.monitor, columns.column_name, spans.span_windows, thresholds.method
                order by
                    case when thresholds.monitor = '*' then 0 else 8 end
                    + case when thresholds.column_name = '*' then 0 else 4 end
                    + case when thresholds.column_role = '*' then 0 else 2 end
                    + case when cast(thresholds.span_windows as {{ dbt.type_string() }}) = '*'
                        then 0 else 1 end desc,
                    {{ mlmon.try_double('thresholds.warning') }} nulls last
            ) as match_rank
        from {{ mlmon.seed_relation('drift_thresholds') }} as thresholds
        inner join {{ columns }} as columns
            on
                thresholds.monitor in ('*', columns.monitor)
                and thresholds.column_name in ('*', columns.column_name)
                and thresholds.column_role in ('*', columns.column_role)
        inner join ({{ mlmon.span_settings() }}) as spans
            on
                columns.monitor = spans.monitor
                and cast(thresholds.span_windows as {{ dbt.type_string() }}) in (
                    '*', cast(spans.span_windows as {{ dbt.type_string() }})
                )
    ) as matching
    where match_rank = 1
{% endmacro %}
