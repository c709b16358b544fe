{# One row per monitor and metric whose degradation is judged: of the primary metric and the declared others those that are computed. #}
{% macro judged_metric_settings() %}
    {%- set rows = [] -%}
    {%- for m in mlmon.monitors() if m.labels is not none -%}
        {%- for metric in ([m.primary_metric] + m.metrics) | unique if metric in mlmon.computed_metrics(m) -%}
            {%- do rows.append({
                'monitor': m.name, 'metric': metric,
            }) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{- return(mlmon.settings_relation(
        {'monitor': 'text', 'metric': 'text'}, rows
    )) -}}
{% endmacro %}

{# One row per monitor with labels and metric that is computed for it. #}
{% macro computed_metric_settings() %}
    {%- set rows = [] -%}
    {%- for m in mlmon.monitors() if m.labels is not none -%}
        {%- for metric in mlmon.computed_metrics(m) -%}
            {%- do rows.append({'monitor': m.name, 'metric': metric}) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{- return(mlmon.settings_relation(
        {'monitor': 'text', 'metric': 'text'}, rows
    )) -}}
{% endmacro %}

{# Of the metrics of a monitor's task those that its columns allow: a score, a prediction, a declared quantile. #}
{% macro computed_metrics(m) %}
    {%- if m.task == 'ranking' -%}{{- return(mlmon.ranking_metrics(m.top_k) | list) -}}{%- endif -%}
    {%- set has_prediction = m.columns.prediction is not none or m.threshold is not none -%}
    {%- set metrics = [] -%}
    {%- for metric in mlmon.metrics_of_task(m.task) -%}
        {%- set has_column = has_prediction if metric not in mlmon.metrics_of_scores()
            else m.class_scores if m.task == 'multiclass' else m.columns.score is not none -%}
        {%- if has_column and (metric != 'pinball_loss' or m.quantile is not none) -%}
            {%- do metrics.append(metric) -%}
        {%- endif -%}
    {%- endfor -%}
    {{- return(metrics) -}}
{% endmacro %}

{# One row per kind of baseline. #}
{% macro baseline_kind_settings() %}
    {%- set rows = [] -%}
    {%- for kind in mlmon.baseline_kinds() -%}{%- do rows.append({'baseline_kind': kind}) -%}{%- endfor -%}
    {{- return(mlmon.settings_relation({'baseline_kind': 'text'}, rows)) -}}
{% endmacro %}

{# The tasks of the monitors with labels: whose metrics are computed. #}
{% macro labelled_tasks() %}
    {{- return(mlmon.monitors() | rejectattr('labels', 'none') | map(attribute='task') | unique | list) -}}
{% endmacro %}
