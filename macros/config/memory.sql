{#
    What has been worked out of the configuration in this run of dbt, by name: a mapping that macros read and add to.
    dbt renders every model twice and each asks for the monitors, whose normal form would be most of the work of
    parsing. Of all that a template sees, only dbt's graph is one object for all of them (docs/decisions/25). What is
    in the memory follows from these vars alone, or is what the warehouse said of a log's columns, and is never changed after
    it was put there.
#}
{% macro memory() %}
    {%- set given = [invocation_id, var('mlmon_monitors', {}), var('mlmon_defaults', {})] | string -%}
    {%- set memory = graph.get('mlmon') -%}
    {%- if not memory or memory['given'] != given -%}
        {%- set memory = {'given': given} -%}
        {%- do graph.update({'mlmon': memory}) -%}
    {%- endif -%}
    {{- return(memory) -}}
{% endmacro %}
