{#
    The configured monitors in their normal form, sorted by name: every key present, defaults filled in, columns
    and slots resolved. Checks nothing (check_configuration does) and touches no database.
#}
{% macro monitors() %}
    {%- set monitors = [] -%}
    {%- set declared = var('mlmon_monitors', {}) -%}
    {%- set defaults = var('mlmon_defaults', {}) -%}
    {%- for name in declared | sort -%}
        {%- set given = dict(defaults, **declared[name]) -%}
        {%- do monitors.append(mlmon.normal_monitor(name, loop.index0, given)) -%}
    {%- endfor -%}
    {{- return(monitors) -}}
{% endmacro %}

{# One monitor by name, none where there is no such. #}
{% macro monitor(name) %}
    {{- return(mlmon.monitors() | selectattr('name', 'equalto', name) | first) -}}
{% endmacro %}

{# How many staging slots of each kind the widest monitor needs. #}
{% macro slot_counts() %}
    {%- set most = namespace(numeric=0, category=0, segment=0) -%}
    {%- for m in mlmon.monitors() -%}
        {%- set numeric = m.features | selectattr('kind', 'equalto', 'numeric') | list | length -%}
        {%- set most.numeric = [most.numeric, numeric] | max -%}
        {%- set most.category = [most.category, m.features | length - numeric] | max -%}
        {%- set most.segment = [most.segment, m.segments | length] | max -%}
    {%- endfor -%}
    {{- return({'numeric': most.numeric, 'category': most.category, 'segment': most.segment}) -}}
{% endmacro %}

{% macro normal_monitor(name, position, given) %}
    {%- set task = given.get('task') -%}
    {%- set grain = given.get('grain', 'day') -%}
    {%- set columns = mlmon.normal_columns(given.get('columns'), mlmon.prediction_columns()) -%}
    {%- set horizon = given.get('label_horizon_days', 14) -%}
    {%- set ages = given.get('label_ages_days', [1, 3, 7, 14, 30]) -%}
    {%- set m = {
        'name': name,
        'position': position,
        'task': task,
        'grain': grain,
        'timezone': given.get('timezone', 'UTC'),
        'predictions': given.get('predictions'),
        'labels': given.get('labels'),
        'reference': mlmon.normal_reference(given),
        'columns': columns,
        'label_columns': mlmon.normal_columns(given.get('label_columns'), mlmon.label_log_columns()),
        'reference_columns': mlmon.normal_reference_columns(given),
        'features': mlmon.normal_features(given),
        'segments': mlmon.normal_segments(given.get('segments') or []),
        'spans': mlmon.normal_spans(given.get('spans'), grain),
        'label_horizon_days': horizon,
        'label_ages_days':
            (ages | select('lt', horizon) | list + [horizon]) | unique | sort | list,
        'positive_class': given.get('positive_class', 1) | string,
        'label_mapping': mlmon.text_mapping(given.get('label_mapping')),
        'threshold': given.get('threshold'),
        'success_outcomes': given.get('success_outcomes'),
        'close_after_minutes': given.get('close_after_minutes', 60),
        'primary_metric': given.get('primary_metric', mlmon.default_metrics()[task]),
        'metrics': given.get('metrics') or [],
        'slo_latency_ms': given.get('slo_latency_ms'),
        'owner': given.get('owner', ''),
        'description': given.get('description', ''),
        'dashboard_url': given.get('dashboard_url', ''),
    } -%}
    {%- do m.update({'monitored': mlmon.monitored_of(m, given)}) -%}
    {#- What only describes changes no number, and must not recompute any. -#}
    {%- set shaping = {} -%}
    {%- for key, value in m.items()
        if key not in ('position', 'owner', 'description', 'dashboard_url') -%}
        {%- do shaping.update({key: value}) -%}
    {%- endfor -%}
    {%- do m.update({'config_hash': local_md5(tojson(shaping, sort_keys=true))}) -%}
    {{- return(m) -}}
{% endmacro %}
