{% macro schema_columns() %}
    {%- set rows = [] -%}
    {%- for m in mlmon.monitors() -%}
        {#- Read in any case: ref() and source() must be seen while parsing. -#}
        {%- set log = mlmon.read_log_columns(m, 'predictions', m.predictions) -%}
        {%- for column in m.monitored
            if column.role in ('feature', 'score', 'prediction') and column.column is not none
            and column.column.expression is none -%}
            {%- do rows.append({
                'monitor': m.name, 'column_name': column.name, 'column_role': column.role,
                'is_required': column.required,
                'is_present': column.column.name not in log['absent'],
            }) -%}
        {%- endfor -%}
        {%- for segment in m.segments if segment.column.expression is none -%}
            {%- do rows.append({
                'monitor': m.name, 'column_name': segment.name, 'column_role': 'table',
                'is_required': true, 'is_present': segment.column.name not in log['absent'],
            }) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{- return(mlmon.settings_relation({
        'monitor': 'text', 'column_name': 'text', 'column_role': 'text',
        'is_required': 'boolean', 'is_present': 'boolean',
    }, rows)) -}}
{% endmacro %}
