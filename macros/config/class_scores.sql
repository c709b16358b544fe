{# Class, number of its slot, column: a list in the order of writing. #}
{% macro normal_class_scores(given) %}
    {%- set scores = [] -%}
    {%- for class, column in (given.get('class_scores') or {}).items() -%}
        {%- do scores.append({
            'class': mlmon.class_text(class), 'number': loop.index,
            'slot': 'class_score_' ~ loop.index, 'column': mlmon.normal_column(column),
        }) -%}
    {%- endfor -%}
    {{- return(scores) -}}
{% endmacro %}

{# The slots of class scores, as many as the monitor with the most classes needs. #}
{% macro class_score_slots() %}
    {%- set counts = [0] + mlmon.monitors() | map(attribute='class_scores') | map('length') | list -%}
    {%- set slots = [] -%}
    {%- for number in range(1, counts | max + 1) -%}{%- do slots.append('class_score_' ~ number) -%}{%- endfor -%}
    {{- return(slots) -}}
{% endmacro %}

{#
    How far from 1 a row's class scores may add up to: more than scores of four decimals, or of single precision, are
    off by. A trifle above a thousandth, so that no verdict hangs on the last bit of a sum.
#}
{% macro score_sum_tolerance() %}{{- return(0.001000001) -}}{% endmacro %}

{#
    One row per monitor and column of class scores that the quality checks look at, with its declared range: those of
    each class, and the sum of all of them as a column of its own, class_scores.
#}
{% macro class_score_column_settings() %}
    {%- set rows = [] -%}
    {%- set tolerance = mlmon.score_sum_tolerance() -%}
    {%- for m in mlmon.monitors() if m.class_scores -%}
        {%- for score in m.class_scores -%}
            {%- do rows.append({
                'monitor': m.name, 'slot': score.slot, 'column_name': 'class_scores.' ~ score['class'],
                'class_number': score.number, 'n_classes': m.class_scores | length,
                'declared_min': 0.0, 'declared_max': 1.0,
            }) -%}
        {%- endfor -%}
        {%- do rows.append({
            'monitor': m.name, 'slot': 'class_scores', 'column_name': 'class_scores', 'class_number': 0,
            'n_classes': m.class_scores | length, 'declared_min': 1 - tolerance, 'declared_max': 1 + tolerance,
        }) -%}
    {%- endfor -%}
    {{- return(mlmon.settings_relation({
        'monitor': 'text', 'slot': 'text', 'column_name': 'text', 'class_number': 'bigint', 'n_classes': 'bigint',
        'declared_min': 'double', 'declared_max': 'double',
    }, rows)) -}}
{% endmacro %}

{# One row per monitor and class that has a score: the number of its slot. #}
{% macro class_score_settings() %}
    {%- set rows = [] -%}
    {%- for m in mlmon.monitors() -%}
        {%- for score in m.class_scores -%}
            {%- do rows.append({
                'monitor': m.name, 'class_label': score['class'], 'class_number': score.number,
            }) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{- return(mlmon.settings_relation(
        {'monitor': 'text', 'class_label': 'text', 'class_number': 'bigint'}, rows
    )) -}}
{% endmacro %}
