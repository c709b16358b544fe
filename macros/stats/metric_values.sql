{#
    One row per window set, segment, metric and class: the metrics of performance with their intervals, of
    whatever tasks there are monitors of. Each family is a model, that of rankings the CTE ranking_metrics; this is
    them below each other.
#}
{% macro metric_values() %}
    {%- set families = [] -%}
    {%- for task in ['binary', 'multiclass', 'regression'] if task in mlmon.labelled_tasks() -%}
        {%- do families.append('int_mlmon__' ~ task ~ '_metrics') -%}
    {%- endfor -%}
    {%- if mlmon.is_asked_for('ranking') -%}{%- do families.append('ranking_metrics') -%}{%- endif -%}
    {%- if mlmon.is_asked_for('class_scores') -%}{%- do families.append('int_mlmon__class_rank_metrics') -%}{%- endif -%}
    {%- set types = {
        'window_set_number': 'bigint', 'segment_name': 'text', 'segment_value': 'text',
        'metric': 'text', 'class_label': 'text', 'value': 'double', 'value_error': 'double', 'variance': 'double', 'n': 'bigint',
        'n_excluded': 'bigint', 'value_low': 'double', 'value_high': 'double', 'interval_method': 'text',
    } -%}
    {%- for family in families %}
    select
        {{ types | join(',\n        ') }}
    from {{ ref('mlmon', family) if family.startswith('int_mlmon__') else family }}
    {%- if not loop.last %}

    union all
    {% endif %}
    {%- else %}
    {{ mlmon.settings_relation(types, []) }}
    {%- endfor %}
{% endmacro %}
