{# One row per monitor and mapped feature, score, prediction or segment: what its log and its reference have of it now. #}
{% macro schema_columns() %}
    {%- set rows = [] -%}
    {%- for m in mlmon.monitors() -%}
        {#- Read in any case: ref() and source() must be seen while parsing. -#}
        {%- set log = mlmon.read_log_columns(m, 'predictions', m.predictions) -%}
        {%- set reference = mlmon.read_log_columns(m, 'reference', m.reference.relation)
            if m.reference.kind == 'table' else {'types': {}, 'absent': []} -%}
        {%- set watched = [] -%}
        {%- for column in m.monitored if column.role != 'label' and column.column is not none -%}
            {%- do watched.append((column.name, column.role, column.required, column.column,
                m.reference_columns.get(column.role, column.column))) -%}
        {%- endfor -%}
        {%- for score in m.class_scores -%}
            {%- do watched.append(('class_scores.' ~ score['class'], 'score', true, score.column, score.column)) -%}
        {%- endfor -%}
        {%- for segment in m.segments -%}
            {%- do watched.append((segment.name, 'table', true, segment.column, segment.column)) -%}
        {%- endfor -%}
        {%- for name, role, required, column, in_reference in watched if column.expression is none -%}
            {%- do rows.append({
                'monitor': m.name, 'column_name': name, 'column_role': role, 'is_required': required,
                'is_present': column.name not in log['absent'], 'is_declared': column.declared,
                'log_column': column.name | lower,
                'type_family': mlmon.type_family(mlmon.column_type(log, column)),
                'reference_type_family': mlmon.type_family(mlmon.column_type(reference, in_reference))
                    if in_reference is not none else none,
            }) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{- return(mlmon.settings_relation({
        'monitor': 'text', 'column_name': 'text', 'column_role': 'text',
        'is_required': 'boolean', 'is_present': 'boolean', 'is_declared': 'boolean',
        'log_column': 'text', 'type_family': 'text',
        'reference_type_family': 'text',
    }, rows)) -}}
{% endmacro %}

{# One row per monitor, log and column of it, mapped or not, as the warehouse knows them now. #}
{% macro logged_columns() %}
    {%- set rows = [] -%}
    {%- for m in mlmon.monitors() -%}
        {%- set logs = [('predictions', m.predictions)] + ([('labels', m.labels)] if m.labels is not none else []) -%}
        {%- for log_name, relation in logs -%}
            {%- set log = mlmon.read_log_columns(m, log_name, relation) -%}
            {%- for name, data_type in log['types'].items() -%}
                {%- do rows.append({
                    'monitor': m.name, 'log_name': log_name, 'relation': log.relation | string,
                    'column_name': name, 'data_type': data_type,
                    'type_family': mlmon.type_family(data_type) or data_type,
                }) -%}
            {%- endfor -%}
        {%- endfor -%}
    {%- endfor -%}
    {{- return(mlmon.settings_relation({
        'monitor': 'text', 'log_name': 'text', 'relation': 'text', 'column_name': 'text',
        'data_type': 'text', 'type_family': 'text',
    }, rows)) -}}
{% endmacro %}

{# What kind of values a column type holds, in a word that is the same everywhere; none where that is not known. #}
{% macro type_family(data_type) %}
    {%- set kind = (data_type or '') | lower -%}
    {%- if not kind -%}{{- return(none) -}}{%- endif -%}
    {%- if '[' in kind or kind.startswith(('struct', 'map', 'array', 'json', 'variant', 'object', 'super', 'row')) -%}
        {{- return('nested') -}}
    {%- endif -%}
    {%- if kind.startswith('bool') -%}{{- return('boolean') -}}{%- endif -%}
    {%- if kind.startswith(('timestamp', 'date', 'time')) -%}{{- return('time') -}}{%- endif -%}
    {%- if kind.startswith(('text', 'varchar', 'char', 'string', 'nvarchar', 'bpchar', 'name', 'uuid', 'enum')) -%}
        {{- return('text') -}}
    {%- endif -%}
    {%- if mlmon.is_number_type(kind) -%}{{- return('number') -}}{%- endif -%}
    {{- return(none) -}}
{% endmacro %}
