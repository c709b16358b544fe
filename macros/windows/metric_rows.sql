{#
    Rows of fct_mlmon__metrics from one mart: plain columns of one relation, so that a filter on the view
    reaches the table. `given` names what the mart has; everything else is 'all', 'none' or NULL.
#}
{% macro metric_rows(source_name, metric, value, given={}, where='true') %}
    {%- set text = dbt.type_string() -%}
    {%- set double = mlmon.type_double() -%}
    {%- set segment = given.get('segment', true) -%}
    {%- set column = given.get('column', false) %}
    select
        monitor_key,
        monitor,
        model_version,
        window_start,
        window_end,
        window_date,
        span_windows,
        {{ 'segment_name' if segment else "cast('all' as " ~ text ~ ")" }} as segment_name,
        {{ 'segment_value' if segment else "cast('all' as " ~ text ~ ")" }} as segment_value,
        {{ 'column_key' if column else mlmon.column_key('monitor', "'table'", "'all'") }}
            as column_key,
        {{ 'column_name' if column else "cast('all' as " ~ text ~ ")" }} as column_name,
        {{ 'column_role' if column else "cast('table' as " ~ text ~ ")" }} as column_role,
        {{ 'column_kind' if column else "cast('none' as " ~ text ~ ")" }} as column_kind,
        cast({{ metric }} as {{ text }}) as metric,
        {{ given.get('class_label', "cast('all' as " ~ text ~ ")") }} as class_label,
        {{ given.get('label_age', "cast('none' as " ~ text ~ ")") }} as label_age,
        cast({{ value }} as {{ double }}) as value,
        cast({{ given.get('value_low', 'null') }} as {{ double }}) as value_low,
        cast({{ given.get('value_high', 'null') }} as {{ double }}) as value_high,
        cast({{ given.get('reference_value', 'null') }} as {{ double }}) as reference_value,
        cast({{ given.get('n', 'null') }} as bigint) as n,
        cast('{{ source_name }}' as {{ text }}) as source_table,
        {{ given.get('status', "cast('not_judged' as " ~ text ~ ")") }} as status,
        {{ given.get('status_rank', 'cast(0 as integer)') }} as status_rank,
        {{ given.get('reason_code', "cast('not_judged_here' as " ~ text ~ ")") }} as reason_code
    from {{ ref('mlmon', source_name) }}
    where {{ where }}
{% endmacro %}
