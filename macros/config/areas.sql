{#
    Areas: parts of the package that are built only where a monitor has them, most in a folder under models/areas.
    A monitor has four of them by name (`areas: [association]`), the others by the key or task that they are for
    (`kpis: {...}`).
#}
{% macro named_areas() %}
    {{- return(['association', 'common_traffic', 'decomposition', 'profiles']) -}}
{% endmacro %}

{# Whether a monitor in its normal form has an area. #}
{% macro asks_for(m, area) %}
    {%- if area in mlmon.named_areas() -%}{{- return(area in m.areas) -}}{%- endif -%}
    {%- if area == 'ranking' -%}{{- return(m.task == 'ranking') -}}{%- endif -%}
    {%- if area == 'presets' -%}{{- return(m.monitored | selectattr('preset') | list | length > 0) -}}{%- endif -%}
    {%- if area == 'multivariate' -%}{{- return(m.multivariate is mapping) -}}{%- endif -%}
    {#- class_scores, kpis, fairness: a key of the same name. -#}
    {{- return(m[area] | length > 0) -}}
{% endmacro %}

{# The names of the monitors that have an area. #}
{% macro monitors_of_area(area) %}
    {%- set memory = mlmon.memory() -%}
    {%- set key = 'monitors of ' ~ area -%}
    {%- if key not in memory -%}
        {%- set names = [] -%}
        {%- for m in mlmon.monitors() if mlmon.asks_for(m, area) -%}{%- do names.append(m.name) -%}{%- endfor -%}
        {%- do memory.update({key: names}) -%}
    {%- endif -%}
    {{- return(memory[key]) -}}
{% endmacro %}

{# Whether any monitor has an area: only then its models are enabled. #}
{% macro is_asked_for(area) %}{{- return(mlmon.monitors_of_area(area) | length > 0) -}}{% endmacro %}

{# SQL: whether the row's monitor has an area. #}
{% macro is_of_area(area, monitor='monitor') %}
    {%- set names = [] -%}
    {%- for name in mlmon.monitors_of_area(area) -%}
        {%- do names.append(mlmon.text_literal(name)) -%}
    {%- endfor -%}
    {{- return(monitor ~ " in (" ~ names | join(", ") ~ ")" if names else "false") -}}
{% endmacro %}
