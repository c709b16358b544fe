{# Errors are estimated from what they were in the reference, so of numbers and where labels come. #}
{% macro check_error_estimates(problems, where, given) %}
    {%- set value = given.get('error_estimates', false) -%}
    {%- do mlmon.check_flag(problems, where, value) -%}
    {%- if value is true and mlmon.other_task(given, ['regression']) -%}
        {%- do mlmon.add_problem(
            problems, where, "true on a " ~ given['task'] ~ " monitor", "a regression monitor",
            "remove it"
            ~ (": the performance of classes is estimated from their scores" if given['task'] != 'ranking' else "")
        ) -%}
    {%- elif value is true and given.get('labels') is none -%}
        {%- do mlmon.add_problem(
            problems, where, "true on a monitor without labels", "a monitor with labels",
            "declare labels, or remove it"
        ) -%}
    {%- endif -%}
{% endmacro %}

{#
    Whether errors are estimated here: some monitor asks for it, and the warehouse runs the Python model that fits
    them. What only that model reads is built where this is true.
#}
{% macro estimates_errors() %}
    {{- return(mlmon.has_python_models() and true in mlmon.given_values('error_estimates')) -}}
{% endmacro %}

{# As many rows of a reference as the errors are fitted on. #}
{% macro error_model_rows() %}{{- return(20000) -}}{% endmacro %}

{# The slots of features that errors are fitted on, none where nothing is. #}
{% macro error_model_slots() %}
    {%- if not mlmon.estimates_errors() -%}{{- return([]) -}}{%- endif -%}
    {%- set slots = [] -%}
    {%- for slot in mlmon.slot_names() if not slot.startswith('segment') -%}
        {%- do slots.append(slot) -%}
    {%- endfor -%}
    {{- return(slots) -}}
{% endmacro %}
