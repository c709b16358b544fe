{# The models of measured metrics, a family each, of whatever tasks there are monitors of. #}
{% macro metric_families() %}
    {%- set families = [] -%}
    {%- for task in ['binary', 'multiclass', 'regression'] if task in mlmon.labelled_tasks() -%}
        {%- do families.append('int_mlmon__' ~ task ~ '_metrics') -%}
    {%- endfor -%}
    {%- if mlmon.is_asked_for('ranking') -%}{%- do families.append('int_mlmon__ranking_metrics') -%}{%- endif -%}
    {%- if mlmon.is_asked_for('class_scores') -%}{%- do families.append('int_mlmon__class_rank_metrics') -%}{%- endif -%}
    {{- return(families) -}}
{% endmacro %}

{#
    SQL: one row per window end of a version ('all' for all versions together), span, segment, label age, metric and
    class: the metric measured there, with its interval, wherever there are labels. A labelled reference has rows, too,
    with span 0. How complete the labels are is not stored with them but in int_mlmon__span_coverage, so that a row
    stays the same as long as its labels do.
#}
{% macro metric_values() %}
    {%- for family in mlmon.metric_families() %}
    select {{ mlmon.metric_value_columns() | join(', ') }} from {{ ref('mlmon', family) }}
    {{- '\n\n    union all\n' if not loop.last }}
    {%- else %}
    {{ mlmon.settings_relation(mlmon.metric_value_columns(), []) }}
    {%- endfor %}
{% endmacro %}

{% macro metric_value_columns() %}
    {{- return({
        'window_key': 'text', 'reference_key': 'text', 'monitor': 'text', 'span_windows': 'bigint', 'label_age': 'text',
        'segment_name': 'text', 'segment_value': 'text', 'metric': 'text', 'class_label': 'text', 'value': 'double',
        'value_error': 'double', 'variance': 'double', 'n': 'bigint', 'n_excluded': 'bigint', 'value_low': 'double',
        'value_high': 'double', 'interval_method': 'text',
    }) -}}
{% endmacro %}

{# SQL: metrics by window set, given to the window ends that share the set. #}
{% macro metrics_of_ends(measured) %}
    select
        {%- for column in mlmon.metric_value_columns() %}
        {{ 'measured' if loop.index > 5 else 'window_sets' }}.{{ column }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ measured }} as measured
    inner join {{ ref('mlmon', 'int_mlmon__window_sets') }} as window_sets
        on measured.window_set_number = window_sets.window_set_number
    where window_sets.is_default_span or measured.segment_name = 'all'
{% endmacro %}
