{# The normal form: none where it is off, else both keys. #}
{% macro normal_multivariate(given) %}
    {%- if given is none or given is boolean and not given -%}{{- return(none) -}}{%- endif -%}
    {%- set normal = {} -%}
    {%- for key, spec in mlmon.multivariate_keys().items() -%}{%- do normal.update({key: spec.default}) -%}{%- endfor -%}
    {%- do normal.update(given if given is mapping else {}) -%}
    {{- return(normal) -}}
{% endmacro %}

{#
    Whether anything measures joint drift here: some monitor asks for it, and the warehouse runs the Python model that does.
    What only that model reads is built where this is true. Elsewhere the mart alone is built, and says `needs_python`.
#}
{% macro measures_joint_drift() %}
    {{- return(mlmon.has_python_models() and mlmon.is_asked_for('multivariate')) -}}
{% endmacro %}
