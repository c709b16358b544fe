{# Joint drift: off, or how many rows of each side are compared and from which AUC on it is a warning. #}
{% macro default_multivariate() %}{{- return({'rows': 2000, 'warning': 0.6}) -}}{% endmacro %}

{# The normal form: none where it is off, else both keys. #}
{% macro normal_multivariate(given) %}
    {%- if given is none or given is boolean and not given -%}{{- return(none) -}}{%- endif -%}
    {%- set normal = mlmon.default_multivariate() -%}
    {%- do normal.update(given if given is mapping else {}) -%}
    {{- return(normal) -}}
{% endmacro %}

{# The samples are taken from the profiled rows, so they cannot have more. #}
{% macro check_multivariate(problems, where, given) %}
    {%- if given is mapping -%}
        {%- do mlmon.check_keys(problems, where, given, mlmon.multivariate_keys()) -%}
        {%- set most = var('mlmon_profile_rows') -%}
        {%- set normal = mlmon.normal_multivariate(given) -%}
        {%- do mlmon.check_number(
            problems, where ~ ".rows", normal['rows'], least=200,
            most=[most, 200] | max if most is integer else none
        ) -%}
        {%- do mlmon.check_number(
            problems, where ~ ".warning", normal['warning'], least=0.5, most=1, whole=false
        ) -%}
    {%- elif given is not none and given is not boolean -%}
        {%- do mlmon.add_problem(
            problems, where, mlmon.shown(given), "true, false or {rows: number, warning: number}",
            "write `multivariate: true`"
        ) -%}
    {%- endif -%}
{% endmacro %}

{#
    Whether anything measures joint drift here: some monitor asks for it, and the warehouse runs the Python model that does.
    What only that model reads is built where this is true. Elsewhere the mart alone is built, and says `needs_python`.
#}
{% macro measures_joint_drift() %}
    {{- return(mlmon.has_python_models() and mlmon.is_asked_for('multivariate')) -}}
{% endmacro %}
