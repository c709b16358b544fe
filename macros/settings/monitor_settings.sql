{# One row per monitor: the settings that SQL needs. #}
{% macro monitor_settings() %}
    {%- set rows = [] -%}
    {%- for m in mlmon.monitors() -%}
        {%- do rows.append({
            'monitor': m.name, 'task': m.task, 'grain': m.grain, 'config_hash': m.config_hash,
            'verdict_hash': m.verdict_hash,
            'edge_set_number': loop.index, 'reference_kind': m.reference.kind, 'reference_from': m.reference.from,
            'reference_to': m.reference.to, 'reference_first_days': m.reference.first_days,
            'compared_with': m.reference.compared_with, 'compared_version': m.reference.version,
            'rolling_windows': none if m.reference.rolling_days is none
                else m.reference.rolling_days * (1 if m.grain == 'day' else 24),
            'close_after_minutes': m.close_after_minutes,
            'label_horizon_days': m.label_horizon_days,
            'threshold_policy': m.threshold_policy,
            'has_labels': m.labels is not none,
            'has_score': m.columns.score is not none and m.task == 'binary',
            'n_class_scores': m.class_scores | length,
            'has_prediction': m.columns.prediction is not none or m.threshold is not none,
            'as_of': mlmon.as_of(),
            'score_digits': m.score_digits, 'quantile': m.quantile, 'baseline': m.baseline,
            'windows_per_day': 1 if m.grain == 'day' else 24,
            'primary_metric': m.primary_metric, 'owner': m.owner, 'description': m.description,
            'dashboard_url': m.dashboard_url, 'slo_latency_ms': m.slo_latency_ms,
            'slo_target': m.slo_target,
            'multivariate_rows': m.multivariate.rows if m.multivariate else none,
            'multivariate_warning': m.multivariate.warning if m.multivariate else none,
        }) -%}
    {%- endfor -%}
    {{- return(mlmon.settings_relation({
        'monitor': 'text', 'task': 'text', 'grain': 'text', 'config_hash': 'text', 'verdict_hash': 'text',
        'edge_set_number': 'bigint', 'reference_kind': 'text', 'reference_from': 'date', 'reference_to': 'date',
        'reference_first_days': 'bigint', 'compared_with': 'text', 'compared_version': 'text',
        'rolling_windows': 'bigint', 'close_after_minutes': 'bigint',
        'label_horizon_days': 'bigint', 'threshold_policy': 'text', 'has_labels': 'boolean',
        'has_score': 'boolean', 'n_class_scores': 'bigint', 'has_prediction': 'boolean', 'score_digits': 'bigint', 'quantile': 'double', 'as_of': 'text', 'baseline': 'text',
        'windows_per_day': 'bigint',
        'primary_metric': 'text', 'owner': 'text', 'description': 'text',
        'dashboard_url': 'text', 'slo_latency_ms': 'double',
        'slo_target': 'double', 'multivariate_rows': 'bigint',
        'multivariate_warning': 'double',
    }, rows)) -}}
{% endmacro %}

{# One row per monitor and span, in base windows. #}
{% macro span_settings() %}
    {%- set rows = [] -%}
    {%- for m in mlmon.monitors() -%}
        {%- for span in m.spans -%}
            {%- do rows.append({'monitor': m.name, 'span_windows': span}) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{- return(mlmon.settings_relation({'monitor': 'text', 'span_windows': 'bigint'}, rows)) -}}
{% endmacro %}

{# One row per monitor and label age; `latest` has no days. #}
{% macro label_age_settings() %}
    {%- set rows = [] -%}
    {%- for m in mlmon.monitors() if m.labels is not none -%}
        {%- for days in m.label_ages_days -%}
            {%- do rows.append({
                'monitor': m.name, 'label_age': days ~ 'd', 'label_age_days': days,
                'is_horizon': days == m.label_horizon_days,
            }) -%}
        {%- endfor -%}
        {%- do rows.append({'monitor': m.name, 'label_age': 'latest', 'is_horizon': false}) -%}
    {%- endfor -%}
    {{- return(mlmon.settings_relation({
        'monitor': 'text', 'label_age': 'text', 'label_age_days': 'bigint',
        'is_horizon': 'boolean',
    }, rows)) -}}
{% endmacro %}
