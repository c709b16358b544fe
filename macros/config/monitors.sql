{#
    The configured monitors in their normal form, sorted by name: every key present, defaults filled in, columns
    and slots resolved. It touches no database and checks nothing; a configuration that has no normal form is
    handed to check_configuration, whose error says why, whichever model is read first.
#}
{% macro monitors() %}
    {%- set memory = mlmon.memory() -%}
    {%- if 'monitors' not in memory -%}{%- do memory.update({'monitors': mlmon.normal_monitors()}) -%}{%- endif -%}
    {{- return(memory['monitors']) -}}
{% endmacro %}

{% macro normal_monitors() %}
    {%- set monitors = [] -%}
    {%- set declared = var('mlmon_monitors', {}) or {} -%}
    {%- set defaults = var('mlmon_defaults', {}) or {} -%}
    {%- if not mlmon.is_readable_block(declared, defaults) -%}
        {%- do mlmon.check_configuration() -%}
    {%- endif -%}
    {%- for name in declared | sort -%}
        {%- set given = mlmon.with_defaults(declared[name], defaults) -%}
        {%- if not mlmon.is_readable(given) -%}{%- do mlmon.check_configuration() -%}{%- endif -%}
        {%- do monitors.append(mlmon.normal_monitor(name, loop.index0, given)) -%}
    {%- endfor -%}
    {{- return(monitors) -}}
{% endmacro %}

{# How many staging slots of each kind the widest monitor needs. #}
{% macro slot_counts() %}
    {%- set memory = mlmon.memory() -%}
    {%- if 'slot_counts' not in memory -%}
        {%- set monitors = mlmon.monitors() -%}
        {%- set features = monitors | map(attribute='feature_counts') | list -%}
        {%- do memory.update({'slot_counts': {
            'numeric': ([0] + features | map(attribute='numeric') | list) | max,
            'category': ([0] + features | map(attribute='categorical') | list) | max,
            'segment': ([0] + monitors | map(attribute='segments') | map('length') | list) | max,
        }}) -%}
    {%- endif -%}
    {{- return(memory['slot_counts']) -}}
{% endmacro %}

{# How many features of each kind a monitor has. #}
{% macro feature_counts(given) %}
    {%- set features = (given.get('features') or {}).values() -%}
    {%- set kinds = features | select('string') | list
        + features | select('mapping') | map(attribute='kind') | list -%}
    {%- set n_numeric = kinds | select('equalto', 'numeric') | list | length -%}
    {{- return({'numeric': n_numeric, 'categorical': kinds | length - n_numeric}) -}}
{% endmacro %}

{# What each monitor says under a key, defaults filled in: enough to ask whether any of them wants something. #}
{% macro given_values(key) %}
    {%- set declared = var('mlmon_monitors', {}) or {} -%}
    {%- set defaults = var('mlmon_defaults', {}) or {} -%}
    {%- if not mlmon.is_readable_block(declared, defaults) -%}
        {%- do mlmon.check_configuration() -%}
    {%- endif -%}
    {%- set given = [] -%}
    {%- for block in declared.values() -%}
        {%- do given.append(block.get(key, defaults.get(key))) -%}
    {%- endfor -%}
    {{- return(given) -}}
{% endmacro %}

{# mlmon_defaults merged key by key under a monitor's block. #}
{% macro with_defaults(block, defaults) %}
    {%- set given = dict(defaults) -%}
    {%- do given.update(block) -%}
    {{- return(given) -}}
{% endmacro %}

{% macro normal_monitor(name, position, given) %}
    {%- set task = given.get('task') -%}
    {%- set grain = given.get('grain', 'day') -%}
    {%- set horizon = given.get('label_horizon_days', 14) -%}
    {%- set ages = given.get('label_ages_days', [1, 3, 7, 14, 30]) -%}
    {%- set outcomes = given.get('success_outcomes') -%}
    {%- set m = {
        'name': name,
        'position': position,
        'task': task,
        'grain': grain,
        'timezone': given.get('timezone', 'UTC'),
        'predictions': given.get('predictions'),
        'labels': given.get('labels'),
        'reference': mlmon.normal_reference(given),
        'columns': mlmon.columns_of_task(
            mlmon.normal_columns(given.get('columns'), mlmon.prediction_columns()), task
        ),
        'label_columns': mlmon.columns_of_task(
            mlmon.normal_columns(given.get('label_columns'), mlmon.label_log_columns()), task
        ),
        'reference_columns': mlmon.normal_reference_columns(given),
        'features': mlmon.normal_features(given),
        'segments': mlmon.normal_segments(given.get('segments') or []),
        'spans': mlmon.normal_spans(given.get('spans'), grain),
        'smoothing': given.get('smoothing', 'floor_1e-4'),
        'feature_counts': mlmon.feature_counts(given),
        'threshold_policy': given.get('threshold_policy', 'larger'),
        'label_horizon_days': horizon,
        'label_ages_days':
            (ages | select('lt', horizon) | list + [horizon]) | unique | sort | list,
        'positive_class': mlmon.class_text(given.get('positive_class', 1)),
        'label_mapping': mlmon.text_mapping(given.get('label_mapping')),
        'class_scores': mlmon.normal_class_scores(given),
        'threshold': given.get('threshold'),
        'score_digits': given.get('score_digits', 3),
        'quantile': given.get('quantile'),
        'top_k': mlmon.top_k(given),
        'baseline': given.get('baseline', 'reference'),
        'success_outcomes': mlmon.value_texts(outcomes) if outcomes else none,
        'close_after_minutes': given.get('close_after_minutes', 60),
        'primary_metric': given.get('primary_metric', mlmon.default_metric(given)),
        'metrics': given.get('metrics') or [],
        'slo_latency_ms': (given.get('slo') or {}).get('latency_ms'),
        'slo_target': (given.get('slo') or {}).get('target', 0.99) if given.get('slo') else none,
        'multivariate': mlmon.normal_multivariate(given.get('multivariate')),
        'fairness': given.get('fairness') or [],
        'kpis': mlmon.normal_kpis(given),
        'areas': given.get('areas') or [],
        'owner': given.get('owner') or '',
        'description': given.get('description') or '',
        'dashboard_url': given.get('dashboard_url') or '',
    } -%}
    {%- do m.update({'monitored': mlmon.monitored_of(m, given)}) -%}
    {%- set counted = mlmon.counted_text(m) -%}
    {%- do m.update({
        'config_hash': local_md5(counted),
        'verdict_hash': local_md5(counted ~ mlmon.judged_text(m)),
    }) -%}
    {{- return(m) -}}
{% endmacro %}

{#
    All that the facts of windows and references are counted by, as one text: where it changes, the log is read again.
    What facts are judged by is in judged_text; what only describes changes no number and is in neither.
#}
{% macro counted_text(m) %}
    {%- set shaping = [] -%}
    {%- for key, value in m.items() if key not in (
        'position', 'owner', 'description', 'dashboard_url', 'features', 'monitored', 'fairness',
        'kpis', 'smoothing', 'feature_counts', 'slo_target', 'spans', 'threshold_policy',
        'primary_metric', 'metrics', 'baseline', 'multivariate',
    ) -%}
        {%- do shaping.append((key, value)) -%}
    {%- endfor -%}
    {%- for column in m.monitored -%}
        {%- do shaping.append((
            column.name, column.role, column.kind, column.slot, column.column, column.min,
            column.max, column.required, column.bins,
            column.kind == 'numeric' and mlmon.is_ranked(column),
            column.kind == 'numeric' and mlmon.is_ranked_by_segment(column),
        )) -%}
    {%- endfor -%}
    {%- do shaping.append(m.multivariate.rows if m.multivariate else none) -%}
    {#- Of a KPI its expression: the value matrix and all limits are read where the numbers are shown. -#}
    {%- for kpi in m.kpis if kpi.expression is not none -%}
        {%- do shaping.append((kpi.name, kpi.expression, kpi.needs_label, kpi.number)) -%}
    {%- endfor -%}
    {{- return(shaping | string) -}}
{% endmacro %}

{#
    All that counted facts are added up, compared and judged by, as one text. Another span or method makes verdicts
    anew and reads no log.
#}
{% macro judged_text(m) %}
    {%- set shaping = [
        m.spans, m.threshold_policy, m.primary_metric, m.metrics, m.baseline, m.multivariate,
    ] -%}
    {%- for column in m.monitored -%}
        {%- do shaping.append((
            column.name, column.smoothing, column.missing, column.methods, column.rule, column.preset,
        )) -%}
    {%- endfor -%}
    {{- return(shaping | string) -}}
{% endmacro %}
