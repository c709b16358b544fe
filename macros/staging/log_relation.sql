{# The relation a monitor's log lives in: {source: [schema, table]}, {ref: model} or {ref: [project, model]}. #}
{% macro log_relation(spec) %}
    {%- if 'source' in spec -%}{{- return(source(spec['source'][0], spec['source'][1])) -}}{%- endif -%}
    {%- set target = spec['ref'] -%}
    {%- if target is string -%}{{- return(builtins.ref(target)) -}}{%- endif -%}
    {%- if target | length == 1 -%}{{- return(builtins.ref(target[0])) -}}{%- endif -%}
    {{- return(builtins.ref(target[0], target[1])) -}}
{% endmacro %}

{#
    What the warehouse knows of a log: {relation, types: {column name: type}, absent: [column names]}.
    While parsing, and where nothing is built, every column is taken to be there. A table that a run needs and that is
    not there is an error; files behind a source (read_parquet(...)) have no columns that could be asked for.
#}
{% macro read_log_columns(m, log_name, spec) %}
    {%- set problems = [] -%}
    {%- set log = mlmon.find_log(problems, m, log_name, spec) -%}
    {%- if not log.is_there and flags.WHICH in ('run', 'build') -%}
        {%- do mlmon.add_absent_log(problems, m, log_name, log) -%}
        {%- do mlmon.raise_problems("logs", problems) -%}
    {%- endif -%}
    {%- if problems -%}{%- do mlmon.raise_problems("cannot read a log", problems) -%}{%- endif -%}
    {{- return(log) -}}
{% endmacro %}

{# The same, with `is_there`, and what is wrong with its columns added to the problems. #}
{% macro find_log(problems, m, log_name, spec) %}
    {%- set relation = mlmon.log_relation(spec) -%}
    {%- set log = {'relation': relation, 'types': {}, 'absent': [], 'is_there': true} -%}
    {%- if execute -%}
        {%- set columns = mlmon.logged_columns_of(relation) -%}
        {%- for column in columns -%}
            {%- do log['types'].update({column.name: column.data_type | lower}) -%}
        {%- endfor -%}
        {%- if columns -%}
            {%- do log.update({'absent': mlmon.check_columns(problems, m, log_name, columns)}) -%}
        {%- else -%}
            {%- do log.update({'is_there': '(' in relation | string}) -%}
        {%- endif -%}
    {%- endif -%}
    {{- return(log) -}}
{% endmacro %}

{# The columns of a log, asked for once in a run: what reads a log comes after it was made. #}
{% macro logged_columns_of(relation) %}
    {%- set known = mlmon.memory().setdefault('logged_columns', {}) -%}
    {%- if relation | string not in known -%}
        {%- do known.update({relation | string: adapter.get_columns_in_relation(relation)}) -%}
    {%- endif -%}
    {{- return(known[relation | string]) -}}
{% endmacro %}

{% macro add_absent_log(problems, m, log_name, log) %}
    {%- do mlmon.add_problem(
        problems, "mlmon_monitors." ~ m.name ~ "." ~ log_name,
        log.relation | string ~ ", which does not exist", "a table or view that exists",
        "create it before the run, or correct the relation"
    ) -%}
{% endmacro %}

{# The type of a mapped column in its log, '' where it is an expression or not known. #}
{% macro column_type(log, column) %}
    {%- if column.expression is none -%}
        {%- for name, data_type in log['types'].items()
            if name == column.name or (not column.quote and name | lower == column.name | lower) -%}
            {{- return(data_type) -}}
        {%- endfor -%}
    {%- endif -%}
    {{- return('') -}}
{% endmacro %}

{# The SQL of a mapped column, or none where the log does not have it. #}
{% macro mapped_sql(log, column) %}
    {%- if column is none or (column.expression is none and column.name in log['absent']) -%}
        {{- return(none) -}}
    {%- endif -%}
    {{- return(mlmon.column_sql(column)) -}}
{% endmacro %}
