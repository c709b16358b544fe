{#
    Whether a configuration has a normal form at all: the shapes that reading relies on, and no more. These run
    in every model, so they are cheap; check_configuration says what is wrong.
#}
{% macro is_readable_block(declared, defaults) %}
    {{- return(
        declared is mapping and defaults is mapping
        and not declared | reject('string') | list
        and not declared.values() | reject('mapping') | list
    ) -}}
{% endmacro %}

{% macro is_readable(given) %}
    {%- for key in ['columns', 'label_columns', 'reference_columns', 'features', 'bins', 'label_mapping',
        'class_scores', 'kpis', 'value_matrix', 'slo']
        if given.get(key) and given[key] is not mapping -%}
        {{- return(false) -}}
    {%- endfor -%}
    {%- for key in ['segments', 'spans', 'label_ages_days', 'success_outcomes', 'metrics', 'fairness', 'top_k']
        if given.get(key) and not mlmon.is_list(given[key]) -%}
        {{- return(false) -}}
    {%- endfor -%}
    {%- set labels = given.get('labels') -%}
    {%- set reference = given.get('reference') -%}
    {%- set ages = given.get('label_ages_days', []) -%}
    {{- return(
        given.get('task') in mlmon.tasks()
        and given.get('grain', 'day') in ('day', 'hour')
        and mlmon.is_relation(given.get('predictions'))
        and (labels is none or mlmon.is_relation(labels))
        and (reference is not mapping
            or mlmon.is_relation(mlmon.reference_rows_of(reference)) or not ('source' in reference or 'ref' in reference))
        and given.get('label_horizon_days', 1) is integer
        and ages is not none and not ages | reject('integer') | list
        and not (given.get('top_k') or []) | reject('integer') | list
        and not (given.get('features') or {}).values() | reject('string') | reject('mapping') | list
        and not (given.get('kpis') or {}).values() | reject('mapping') | list
        and not (given.get('segments') or []) | reject('string') | reject('mapping') | list
    ) -}}
{% endmacro %}

{# A list as YAML has it: neither a text nor a mapping. #}
{% macro is_list(value) %}
    {{- return(value is sequence and value is not string and value is not mapping) -}}
{% endmacro %}

{# {source: [source, table]}, {ref: model} or {ref: [project, model]}. #}
{% macro is_relation(given) %}
    {%- if given is not mapping or given | length != 1 -%}{{- return(false) -}}{%- endif -%}
    {%- if given.get('ref') and given['ref'] is string -%}{{- return(true) -}}{%- endif -%}
    {%- set names = given.get('source') or given.get('ref') -%}
    {{- return(
        mlmon.is_list(names) and not names | reject('string') | list
        and names | length in ((2,) if 'source' in given else (1, 2))
    ) -}}
{% endmacro %}
