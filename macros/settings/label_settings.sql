{#
    One row per monitor with labels: what its label is, by which smoothing its shares are compared, and the horizon
    at which it is taken.
#}
{% macro label_settings() %}
    {%- set rows = [] -%}
    {%- for m in mlmon.monitors() if m.labels is not none -%}
        {%- do rows.append({
            'monitor': m.name, 'task': m.task,
            'label_kind': 'numeric' if m.task in mlmon.number_tasks() else 'categorical',
            'smoothing': m.smoothing, 'label_horizon_days': m.label_horizon_days,
            'label_age': m.label_horizon_days ~ 'd',
        }) -%}
    {%- endfor -%}
    {{- return(mlmon.settings_relation({
        'monitor': 'text', 'task': 'text', 'label_kind': 'text', 'smoothing': 'text',
        'label_horizon_days': 'bigint', 'label_age': 'text',
    }, rows)) -}}
{% endmacro %}

{#
    The most edges that the bins of any numeric label can have: its own quantiles', or those of the prediction where a
    stretch of the log is the reference.
#}
{% macro label_edge_count() %}
    {%- set counts = [mlmon.label_bin_count()] -%}
    {%- for m in mlmon.monitors() if m.task == 'regression' -%}
        {%- for column in m.monitored if column.role == 'prediction' -%}
            {%- do counts.append(column.bins.k) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{- return(counts | max) -}}
{% endmacro %}

{# Bins of a numeric label. #}
{% macro label_bin_count() %}{{- return(10) -}}{% endmacro %}

{#
    One row per monitor with labels, feature and method by which its association with the label is measured. Mutual
    information is for information: it has no scale on which a change is large for every feature.
#}
{% macro association_methods() %}
    {%- set rows = [] -%}
    {%- for m in mlmon.monitors() if m.labels is not none -%}
        {%- for feature in m.features -%}
            {%- set method = {
                ('numeric', 'binary'): 'point_biserial',
                ('numeric', 'regression'): 'pearson',
                ('numeric', 'ranking'): 'pearson',
                ('categorical', 'binary'): 'cramers_v',
                ('categorical', 'multiclass'): 'cramers_v',
            }.get((feature.kind, m.task), 'correlation_ratio') -%}
            {%- do rows.append({
                'monitor': m.name, 'column_name': feature.name, 'method': method,
                'is_judged_method': true,
            }) -%}
            {%- do rows.append({
                'monitor': m.name, 'column_name': feature.name, 'method': 'mutual_information',
                'is_judged_method': false,
            }) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{- return(mlmon.settings_relation({
        'monitor': 'text', 'column_name': 'text', 'method': 'text',
        'is_judged_method': 'boolean',
    }, rows)) -}}
{% endmacro %}
