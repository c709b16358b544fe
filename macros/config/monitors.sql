{#
    The configured monitors in their normal form, sorted by name: every key present, defaults filled in, columns
    and slots resolved. It touches no database. A configuration that is wrong has no normal form: check_configuration
    says why, whichever model is read first.
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
    {%- do mlmon.check_configuration() -%}
    {%- for name in declared | sort -%}
        {%- do monitors.append(mlmon.normal_monitor(name, loop.index0, mlmon.with_defaults(declared[name], defaults))) -%}
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

{# mlmon_defaults merged key by key under a monitor's block. #}
{% macro with_defaults(block, defaults) %}
    {%- set given = dict(defaults) -%}
    {%- do given.update(block) -%}
    {{- return(given) -}}
{% endmacro %}

{% macro normal_monitor(name, position, given) %}
    {%- set value = {} -%}
    {%- for key, spec in mlmon.monitor_keys().items() -%}
        {%- do value.update({key: given.get(key, spec.default if spec.default is defined else none)}) -%}
    {%- endfor -%}
    {%- set task = value.task -%}
    {%- set horizon = value.label_horizon_days -%}
    {%- set slo = value.slo or {} -%}
    {%- set m = {
        'name': name,
        'position': position,
        'task': task,
        'grain': value.grain,
        'timezone': value.timezone,
        'predictions': value.predictions,
        'labels': value.labels,
        'reference': mlmon.normal_reference(value.reference),
        'columns': mlmon.columns_of_task(
            mlmon.normal_columns(value.columns, mlmon.prediction_columns()), task
        ),
        'label_columns': mlmon.columns_of_task(
            mlmon.normal_columns(value.label_columns, mlmon.label_log_columns()), task
        ),
        'reference_columns': mlmon.normal_reference_columns(given),
        'features': mlmon.normal_features(given),
        'segments': mlmon.normal_segments(value.segments or []),
        'spans': mlmon.normal_spans(value.spans, value.grain),
        'smoothing': value.smoothing,
        'feature_counts': mlmon.feature_counts(given),
        'threshold_policy': value.threshold_policy,
        'label_horizon_days': horizon,
        'label_ages_days':
            (value.label_ages_days | select('lt', horizon) | list + [horizon]) | unique | sort | list,
        'positive_class': mlmon.class_text(value.positive_class),
        'label_mapping': mlmon.text_mapping(value.label_mapping),
        'class_scores': mlmon.normal_class_scores(given),
        'threshold': value.threshold,
        'score_digits': value.score_digits,
        'quantile': value.quantile,
        'top_k': mlmon.top_k(given),
        'baseline': value.baseline,
        'success_outcomes': mlmon.value_texts(value.success_outcomes) if value.success_outcomes else none,
        'close_after_minutes': value.close_after_minutes,
        'primary_metric': given.get('primary_metric', mlmon.default_metric(given)),
        'metrics': value.metrics or [],
        'slo_latency_ms': slo.get('latency_ms'),
        'slo_target': slo.get('target', mlmon.monitor_keys().slo['keys'].target.default) if slo else none,
        'multivariate': mlmon.normal_multivariate(value.multivariate),
        'fairness': value.fairness or [],
        'kpis': mlmon.normal_kpis(given),
        'areas': value.areas or [],
        'owner': value.owner or '',
        'description': value.description or '',
        'dashboard_url': value.dashboard_url or '',
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
