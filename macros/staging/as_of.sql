{# With mlmon_as_of, only the rows of a log that were loaded by then: what a run saw at that time. #}
{% macro seen_by_then(loaded_at) %}
    {%- if var('mlmon_as_of') %}
where {{ loaded_at }} <= {{ mlmon.timestamp_literal(mlmon.as_of()) }}
    {%- endif %}
{%- endmacro %}

{# The replayed time as one text; none in the running monitoring. #}
{% macro as_of() %}
    {{- return((var('mlmon_as_of') | string).replace('T', ' ') if var('mlmon_as_of') else none) -}}
{% endmacro %}

{#
    A replay writes into a schema of its own: the running monitoring must not become an old one. Every run keeps its time beside
    the settings; a replay of an earlier time than the tables are of is refused. Going forward is what every run does, so
    that needs no check: the tables of a replay catch up.
#}
{% macro check_as_of() %}
    {%- if execute and mlmon.as_of() is not none and flags.WHICH in ('run', 'build') -%}
        {%- set existing = adapter.get_relation(this.database, this.schema, this.identifier) -%}
        {%- set mart = graph.nodes['model.mlmon.fct_mlmon__windows'] -%}
        {%- set found = run_query("select max(as_of) from " ~ existing).rows[0][0] if existing -%}
        {#- Marts without settings beside them: they are those of the running monitoring, in a schema that is shared. -#}
        {%- set is_running = found is none and (
            existing or adapter.get_relation(mart.database, mart.schema, mart.alias)
        ) -%}
        {%- if is_running or (existing and found > mlmon.as_of() and not flags.FULL_REFRESH) -%}
            {%- set problems = [] -%}
            {%- do mlmon.add_problem(
                problems, "mlmon_as_of",
                mlmon.as_of() ~ ", where schema " ~ (this.schema if existing else mart.schema)
                ~ " holds the tables of " ~ ("the running monitoring" if is_running else found),
                "a schema of its own" if is_running else "a later time, or a schema of its own",
                "run with another target or schema"
                ~ ("" if is_running else ", or with `--full-refresh`")
            ) -%}
            {%- do mlmon.raise_problems("cannot replay into this schema", problems) -%}
        {%- endif -%}
    {%- endif -%}
{% endmacro %}
