{#
    The features in their normal form and order, each with the staging slot it travels in. Kept to few macro
    calls a feature: this runs in every model.
#}
{% macro normal_features(given) %}
    {%- set features = [] -%}
    {%- set used = namespace(numeric=0, category=0) -%}
    {%- set policy_keys = mlmon.policy_keys() -%}
    {%- set shared = {
        'numeric': mlmon.normal_policies(given, {}, 'numeric'),
        'categorical': mlmon.normal_policies(given, {}, 'categorical'),
    } -%}
    {%- for name, written in (given.get('features') or {}).items() -%}
        {%- set feature = written if written is mapping else {'kind': written} -%}
        {%- if feature.get('kind') == 'numeric' -%}
            {%- set kind = 'numeric' -%}
            {%- set used.numeric = used.numeric + 1 -%}
            {%- set slot = 'numeric_' ~ used.numeric -%}
        {%- else -%}
            {%- set kind = 'categorical' -%}
            {%- set used.category = used.category + 1 -%}
            {%- set slot = 'category_' ~ used.category -%}
        {%- endif -%}
        {%- set has_own = feature.keys() | select('in', policy_keys) | list -%}
        {%- set policies = mlmon.normal_policies(given, feature, kind) if has_own else shared[kind] -%}
        {%- do features.append({
            'name': name | string,
            'role': 'feature',
            'position': loop.index,
            'kind': kind,
            'slot': slot,
            'column': {
                'name': feature.get('column', name) | string,
                'quote': feature.get('quote', false),
                'expression': feature.get('expression'),
                'declared': true,
            },
            'min': feature.get('min'),
            'max': feature.get('max'),
            'required': feature.get('required', true),
            'importance': feature.get('importance'),
            'description': feature.get('description') or '',
            'bins': policies['bins'],
            'smoothing': policies['smoothing'],
            'missing': policies['missing'],
            'methods': policies['methods'],
            'rule': policies['rule'],
            'preset': policies['preset'],
        }) -%}
    {%- endfor -%}
    {{- return(features) -}}
{% endmacro %}

{# How a column is compared: the feature's own policies, else the monitor's, else the defaults. #}
{% macro normal_policies(given, feature, kind) %}
    {%- set rule = mlmon.normal_methods(feature.get('drift_rule', given.get('drift_rule')), kind) -%}
    {%- set methods = mlmon.normal_methods(
        feature.get('drift_methods', given.get('drift_methods', mlmon.default_drift_methods())), kind
    ) -%}
    {{- return({
        'methods': mlmon.drift_methods() | select('in', methods + rule) | list,
        'rule': rule,
        'preset': feature.get('preset', given.get('preset')),
        'bins': mlmon.normal_bins(given.get('bins'), feature.get('bins'), kind),
        'smoothing': feature.get('smoothing', given.get('smoothing', 'floor_1e-4')),
        'missing': feature.get('missing', given.get('missing', 'bin')),
    }) -}}
{% endmacro %}

{# Methods as a list; those that a kind of column does not have are left out. #}
{% macro normal_methods(given, kind) %}
    {%- set named = mlmon.drift_methods() if given == 'all' else given if mlmon.is_list(given) else [] -%}
    {%- if kind == 'numeric' -%}{{- return(named | list) -}}{%- endif -%}
    {{- return(named | reject('in', mlmon.numeric_drift_methods()) | list) -}}
{% endmacro %}

{# A monitor's bins are those of its numeric columns; edges count only with the policy `custom`. #}
{% macro normal_bins(of_monitor, of_feature, kind) %}
    {%- set own = of_feature if of_feature is mapping else {} -%}
    {%- if kind != 'numeric' -%}
        {{- return({'policy': 'categorical', 'k': own.get('k', 100), 'edges': none}) -}}
    {%- endif -%}
    {%- set bins = {'policy': 'quantile', 'k': 10, 'edges': none} -%}
    {%- do bins.update(of_monitor or {}) -%}
    {%- do bins.update(own) -%}
    {%- if bins['policy'] != 'custom' -%}
        {%- do bins.update({'edges': none}) -%}
    {%- elif mlmon.is_list(bins['edges']) -%}
        {%- do bins.update({'k': bins['edges'] | length + 1}) -%}
    {%- endif -%}
    {{- return({'policy': bins['policy'], 'k': bins['k'], 'edges': bins['edges']}) -}}
{% endmacro %}

{% macro normal_segments(given) %}
    {%- set segments = [] -%}
    {%- for written in given -%}
        {%- set segment = written if written is mapping else {'name': written} -%}
        {%- set name = segment.get('name') | string -%}
        {%- set declared = segment.get('values') -%}
        {%- do segments.append({
            'name': name,
            'position': loop.index,
            'slot': 'segment_' ~ loop.index,
            'column': {
                'name': segment.get('column', name) | string,
                'quote': segment.get('quote', false),
                'expression': segment.get('expression'),
                'declared': true,
            },
            'values': mlmon.value_texts(declared) if mlmon.is_list(declared) else none,
            'max_values': segment.get('max_values', 20),
        }) -%}
    {%- endfor -%}
    {{- return(segments) -}}
{% endmacro %}

{# Every column whose distribution is watched: the features, the score, the prediction, the label. #}
{% macro monitored_of(m, given) %}
    {%- set monitored = m.features | list -%}
    {%- for output in mlmon.monitored_outputs(m) -%}
        {#- The score of a ranking has no scale of its own; the others are probabilities. -#}
        {%- set is_probability = output.role == 'score' and m.task != 'ranking' -%}
        {%- do monitored.append(dict(mlmon.normal_policies(given, {}, output.kind), **{
            'name': output.role, 'role': output.role, 'position': monitored | length + 1,
            'kind': output.kind, 'slot': output.slot, 'column': output.column,
            'min': 0 if is_probability else none, 'max': 1 if is_probability else none,
            'required': true, 'importance': none, 'description': '',
        })) -%}
    {%- endfor -%}
    {{- return(monitored) -}}
{% endmacro %}

{# What a monitor has beside its features: the score, the prediction and the label, as far as it has them. #}
{% macro monitored_outputs(m) %}
    {%- set is_number = m.task == 'regression' -%}
    {%- set has_number_labels = m.task in mlmon.number_tasks() -%}
    {%- set outputs = [] -%}
    {%- if m.columns.score is not none and not is_number -%}
        {%- do outputs.append({
            'role': 'score', 'kind': 'numeric', 'slot': 'score', 'column': m.columns.score,
        }) -%}
    {%- endif -%}
    {%- if m.columns.prediction is not none or m.threshold is not none -%}
        {%- do outputs.append({
            'role': 'prediction', 'kind': 'numeric' if is_number else 'categorical',
            'column': m.columns.prediction,
            'slot': 'prediction_value' if is_number else 'prediction_class',
        }) -%}
    {%- endif -%}
    {%- if m.labels is not none -%}
        {%- do outputs.append({
            'role': 'label', 'kind': 'numeric' if has_number_labels else 'categorical',
            'column': m.label_columns.label,
            'slot': 'label_value' if has_number_labels else 'label_class',
        }) -%}
    {%- endif -%}
    {{- return(outputs) -}}
{% endmacro %}
