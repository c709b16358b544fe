{#
    The keys of the configuration: the one place that says what each may hold. The checks (check.sql) walk these
    dictionaries, the normal form (normal_monitor) takes its defaults from them, and docs/configuration.md is tested
    against them. What relates one key to another is in rules.sql. A key says:

      is              the kind of its value, which check_value() knows; `rule` where a rule of its own checks it
      allowed         the words it may be; least, most and whole of numbers
      default         what holds where it is not written; required: it must be
      nothing         false: `~` is no value. Elsewhere `~` is the same as not written.
      form, write     what is allowed and how to write it, where the value has another shape
      keys, of        the keys of a block; what each value of a list is
      tasks, called   the tasks that have the key, what it is called on another one, and the fix there (instead);
                      of_block: defaults may have it for monitors of those tasks
      of_labels       that it means something beside a label log only
      help            what it is for, as docs/configuration.md begins
#}
{% macro monitor_keys() %}
    {%- set columns = {'is': 'rule', 'default': {}} -%}
    {%- set keys = {
        'task': {'is': 'choice', 'allowed': mlmon.tasks(), 'required': true, 'help': 'binary, multiclass, regression or'},
        'grain': {'is': 'choice', 'allowed': ['day', 'hour'], 'default': 'day', 'nothing': false, 'help': 'The base window: day or hour.'},
        'timezone': {'is': 'timezone', 'default': 'UTC', 'nothing': false, 'help': 'Where days begin, as an IANA name.'},
        'predictions': {'is': 'relation', 'required': true, 'help': 'The prediction log: one row a prediction.'},
        'labels': {'is': 'relation', 'help': 'The label log: one row a label, later than its prediction.'},
        'reference': {'is': 'rule', 'default': {'first_days': 30}, 'help': 'A table of its own; two days, both inclusive; the first days of each version; or `none`.'},
        'columns': dict(columns, help='Which column of the prediction log is what'),
        'label_columns': dict(columns, of_labels=true, help='The same for the label log.'),
        'reference_columns': dict(columns, help='Which column of a reference table is what'),
        'positive_class': {
            'is': 'rule', 'default': 1, 'nothing': false, 'tasks': ['binary'], 'called': 'a positive class',
            'help': 'Binary monitors: the class that counts as positive.',
        },
        'label_mapping': {'is': 'rule', 'help': 'What values of labels and predictions mean: value to class.'},
        'class_scores': {
            'is': 'rule', 'of_labels': true, 'tasks': ['multiclass'], 'called': 'class scores',
            'instead': {'binary': 'name the score under `columns`'},
            'help': "Of a multiclass monitor the column of each class's score",
        },
        'threshold': {
            'is': 'number', 'tasks': ['binary'], 'called': 'a threshold',
            'help': 'Binary monitors whose log has no prediction',
        },
        'success_outcomes': {'is': 'values', 'write': '[ok]', 'help': 'The outcomes of requests that succeeded; NULL is one of them.'},
        'quantile': {
            'is': 'share', 'of_labels': true, 'tasks': ['regression'], 'called': 'a quantile',
            'form': 'a number between 0 and 1, both left out', 'write': 'write the predicted quantile, such as 0.9',
            'help': 'Regression monitors that predict a quantile instead of the mean',
        },
        'baseline': {
            'is': 'choice', 'allowed': mlmon.baseline_kinds(), 'default': 'reference', 'nothing': false, 'of_labels': true,
            'help': 'What performance is judged against',
        },
        'features': {
            'is': 'rule', 'default': {}, 'form': '{name: kind}',
            'write': 'write each feature as `name: numeric` or `name: categorical`', 'help': 'The features',
        },
        'segments': {
            'is': 'rule', 'default': [], 'form': 'a list of columns', 'write': 'write a list like [origin]',
            'help': 'Columns that split the rows',
        },
        'spans': {'is': 'rule', 'help': 'How many days are judged together.'},
        'threshold_policy': {
            'is': 'choice', 'allowed': ['larger', 'fixed', 'reference_windows'], 'default': 'larger', 'nothing': false,
            'help': 'larger: the larger of what the seed drift_thresholds fixes and what the reference varies by itself',
        },
        'label_horizon_days': {
            'is': 'number', 'whole': true, 'least': 1, 'most': 3660, 'default': 14, 'nothing': false, 'of_labels': true,
            'help': 'After how many days labels are taken as complete.',
        },
        'label_ages_days': {
            'is': 'rule', 'default': [1, 3, 7, 14, 30], 'nothing': false, 'of_labels': true,
            'form': 'a list of whole days', 'write': 'write a list like [1, 3, 7]',
            'help': 'The ages at which performance is looked at, up to the horizon, which is always one.',
        },
        'primary_metric': {'is': 'rule', 'nothing': false, 'of_labels': true, 'help': 'The metric whose loss is degradation'},
        'metrics': {'is': 'rule', 'default': [], 'of_labels': true, 'help': 'Further metrics to judge.'},
        'slo': {
            'is': 'block', 'form': '{latency_ms: number, target: share}',
            'write': 'write `slo: {latency_ms: 100, target: 0.99}`',
            'keys': {
                'latency_ms': {'is': 'number', 'least': 0, 'required': true},
                'target': {
                    'is': 'share', 'default': 0.99, 'nothing': false, 'form': 'a share above 0 and below 1',
                    'write': 'write 0.99 where one request in a hundred may take longer',
                },
            },
            'help': 'The latency that requests should keep',
        },
        'close_after_minutes': {
            'is': 'number', 'whole': true, 'least': 0, 'most': 5270400, 'default': 60, 'nothing': false,
            'help': 'A window is judged once rows are loaded this long after its end.',
        },
        'score_digits': {
            'is': 'choice', 'allowed': [3, 4], 'default': 3, 'nothing': false,
            'help': 'The digits by which labelled scores are told apart where scores are ranked',
        },
        'top_k': {
            'is': 'list', 'filled': true, 'of_labels': true, 'default': [5, 10], 'tasks': ['ranking'], 'called': 'top_k',
            'of_block': true,
            'of': {'is': 'number', 'whole': true, 'least': 1, 'most': 1000},
            'form': 'a list of whole numbers', 'write': 'write a list like [5, 10]',
            'help': 'Ranking monitors: the cut-offs at which lists are measured',
        },
        'multivariate': {
            'is': 'block', 'or_flag': true, 'form': 'true, false or {rows: number, warning: number}',
            'write': 'write `multivariate: true`', 'keys': mlmon.multivariate_keys(), 'help': 'Joint drift',
        },
        'fairness': {
            'is': 'rule', 'default': [], 'of_labels': true, 'tasks': ['binary'], 'called': 'fairness',
            'help': 'Binary monitors: segments whose values are groups that should be treated alike',
        },
        'kpis': {'is': 'rule', 'help': 'What a request is worth, by expression'},
        'value_matrix': {
            'is': 'block', 'of_labels': true, 'tasks': ['binary'], 'called': 'a value matrix',
            'instead': dict.fromkeys(mlmon.tasks(), 'write the value of a request as a KPI under `kpis`'),
            'form': '{tp: number, fp: number, fn: number, tn: number, unit: text}',
            'write': 'write `value_matrix: {tp: 10, fp: -2, fn: -5, tn: 0, unit: EUR}`',
            'keys': mlmon.value_matrix_keys(),
            'help': 'Binary monitors: what a prediction in each cell of the confusion matrix is worth',
        },
        'areas': {
            'is': 'list', 'default': [], 'of': {'is': 'choice', 'allowed': mlmon.named_areas()},
            'form': 'a list of ' ~ mlmon.named_areas() | join(', '), 'write': 'write a list like [association]',
            'help': 'Parts of the package that are built only where somebody asks for them',
        },
        'owner': {'is': 'text', 'default': '', 'help': 'Who answers for the model.'},
        'description': {'is': 'text', 'default': '', 'help': 'What the model does.'},
        'dashboard_url': {'is': 'text', 'default': '', 'help': 'Where to look.'},
    } -%}
    {%- do keys.update(mlmon.policy_keys()) -%}
    {{- return(keys) -}}
{% endmacro %}

{# How a column is compared: keys of a monitor, and of each of its features. #}
{% macro policy_keys() %}
    {{- return({
        'bins': {'is': 'rule', 'form': '{policy:, k:, edges:}', 'write': 'write a block such as {k: 20}'},
        'smoothing': {
            'is': 'choice', 'allowed': ['floor_1e-4', 'laplace_half', 'none'], 'default': 'floor_1e-4', 'nothing': false,
            'help': 'What the PSI does with empty bins',
        },
        'missing': {
            'is': 'choice', 'allowed': ['bin', 'drop'], 'default': 'bin', 'nothing': false,
            'help': 'bin: missing values are a bin of their own.',
        },
        'drift_methods': {'is': 'rule', 'default': mlmon.default_drift_methods(), 'help': 'The statistics to compute'},
        'drift_rule': {'is': 'rule', 'help': "The methods whose verdict is the column's: the worst of them counts."},
        'preset': {
            'is': 'choice', 'allowed': ['evidently', 'nannyml'], 'help': 'evidently or nannyml: the numbers that this tool prints',
        },
    }) -}}
{% endmacro %}

{% macro feature_keys() %}
    {%- set keys = {
        'kind': {
            'is': 'choice', 'allowed': ['numeric', 'categorical', 'boolean'], 'required': true,
            'help': 'numeric or categorical; boolean means categorical.',
        },
        'column': {'is': 'rule', 'help': 'The column of the log.'},
        'expression': {'is': 'rule', 'help': 'SQL over the columns of the log, in place of a column.'},
        'quote': {'is': 'rule', 'default': false, 'help': "Whether the column's name is taken exactly."},
        'min': {'is': 'rule', 'help': 'The smallest value that can be right; numeric features.'},
        'max': {'is': 'rule', 'help': 'The largest.'},
        'required': {'is': 'flag', 'default': true, 'nothing': false, 'help': 'Whether it is critical that the log loses the column'},
        'importance': {'is': 'number', 'least': 0, 'help': 'How much the model uses it, in any unit.'},
        'description': {'is': 'text', 'default': '', 'help': 'What it is.'},
    } -%}
    {%- do keys.update(mlmon.policy_keys()) -%}
    {{- return(keys) -}}
{% endmacro %}

{% macro segment_keys() %}
    {{- return({
        'name': {'is': 'rule', 'required': true, 'help': 'What the tables call it'},
        'column': {'is': 'rule', 'help': 'The column of the log.'},
        'expression': {'is': 'rule', 'help': 'SQL over the columns of the log, in place of a column.'},
        'quote': {'is': 'rule', 'default': false, 'help': "Whether the column's name is taken exactly."},
        'values': {'is': 'values', 'write': '[short, long]', 'help': 'The values told apart.'},
        'max_values': {
            'is': 'number', 'whole': true, 'least': 1, 'most': 1000, 'default': 20, 'nothing': false,
            'help': 'How many of the most frequent are told apart',
        },
    }) -}}
{% endmacro %}

{# Joint drift. The samples are taken from the profiled rows, so they cannot have more. #}
{% macro multivariate_keys() %}
    {%- set most = var('mlmon_profile_rows', none) -%}
    {{- return({
        'rows': {
            'is': 'number', 'whole': true, 'least': 200, 'default': 2000, 'nothing': false,
            'most': [most, 200] | max if most is integer else none,
        },
        'warning': {'is': 'number', 'least': 0.5, 'most': 1, 'default': 0.6, 'nothing': false},
    }) -}}
{% endmacro %}

{# Thresholds and words of a KPI, and of the value matrix, which is one. #}
{% macro kpi_words() %}
    {%- set limit = {'is': 'number', 'least': 0.000001} -%}
    {{- return({
        'unit': {'is': 'text', 'default': 'none', 'help': 'Its unit, for people.'},
        'warning': dict(limit, help='The loss, as a share of the baseline, from which it is a warning.'),
        'critical': dict(limit, help='The same for critical.'),
        'description': {'is': 'text', 'default': '', 'help': 'What it is.'},
    }) -}}
{% endmacro %}

{% macro kpi_keys() %}
    {%- set words = mlmon.kpi_words() -%}
    {{- return({
        'expression': {'is': 'expression', 'required': true, 'help': 'The number of a request.'},
        'unit': words['unit'],
        'needs_label': {'is': 'flag', 'help': 'Whether only requests with a label count.'},
        'is_higher_better': {'is': 'flag', 'default': true, 'help': 'Whether less of it is a loss; false: more of it is.'},
        'warning': words['warning'],
        'critical': words['critical'],
        'description': words['description'],
    }) -}}
{% endmacro %}

{% macro value_matrix_cells() %}{{- return(['tp', 'fp', 'fn', 'tn']) -}}{% endmacro %}

{% macro value_matrix_keys() %}
    {%- set keys = {} -%}
    {%- for cell in mlmon.value_matrix_cells() -%}
        {%- do keys.update({cell: {'is': 'number', 'least': -1000000000000, 'most': 1000000000000, 'required': true}}) -%}
    {%- endfor -%}
    {%- do keys.update(mlmon.kpi_words()) -%}
    {{- return(keys) -}}
{% endmacro %}

{# The variables beside the monitors and their defaults; dbt_project.yml has what holds where they are not written. #}
{% macro variable_keys() %}
    {%- set days = {'is': 'number', 'whole': true, 'most': 36600, 'nothing': false} -%}
    {%- set count = {'is': 'number', 'whole': true, 'nothing': false} -%}
    {%- set seeds = {} -%}
    {%- for seed in mlmon.replaceable_seeds() -%}
        {%- do seeds.update({seed: {'is': 'relation', 'nothing': false}}) -%}
    {%- endfor -%}
    {{- return({
        'mlmon_lookback_days': dict(days, least=0),
        'mlmon_max_gap_days': dict(days, least=1),
        'mlmon_profile_rows': dict(count, least=1),
        'mlmon_exact_ks_pairs': dict(count, least=0),
        'mlmon_python_models': {'is': 'flag', 'nothing': false},
        'mlmon_min_event_at': {'is': 'date', 'nothing': false},
        'mlmon_as_of': {'is': 'time'},
        'mlmon_seeds': {
            'is': 'block', 'keys': seeds, 'form': seeds | join(', ') ~ ', each a relation',
            'write': 'write `mlmon_seeds: {alert_rules: {ref: my_rules}}`',
        },
        'mlmon_quality_limits': mlmon.limit_keys('mlmon_quality_limits', mlmon.default_quality_limits()),
        'mlmon_gate_limits': mlmon.limit_keys('mlmon_gate_limits', mlmon.default_gate_limits()),
    }) -}}
{% endmacro %}

{# Limits by check. #}
{% macro limit_keys(name, defaults) %}
    {%- set limit = {'is': 'number', 'least': 0, 'nothing': false} -%}
    {%- set checks = {} -%}
    {%- for check, limits in defaults.items() -%}
        {%- do checks.update({check: {
            'is': 'block', 'nothing': false, 'ordered': true, 'form': '{warning: number, critical: number}',
            'write': 'write both limits or one of them',
            'keys': {
                'warning': dict(limit, default=limits.warning), 'critical': dict(limit, default=limits.critical),
            },
        }}) -%}
    {%- endfor -%}
    {{- return({
        'is': 'block', 'keys': checks, 'form': checks | join(', '), 'write': 'write `' ~ name ~ ': {missing: {warning: 0.1}}`',
    }) -}}
{% endmacro %}

{% macro prediction_columns() %}
    {{- return([
        'request_id', 'predicted_at', 'loaded_at', 'model_version', 'prediction', 'score',
        'latency_ms', 'outcome', 'query_id', 'item_id',
    ]) -}}
{% endmacro %}

{% macro label_log_columns() %}
    {{- return(['request_id', 'label', 'relevance', 'labeled_at', 'loaded_at']) -}}
{% endmacro %}

{# The columns without which a log cannot be read, by the key that maps them. #}
{% macro identity_columns() %}
    {{- return({
        'columns': ['request_id', 'predicted_at', 'query_id', 'item_id'],
        'label_columns': ['request_id', 'label', 'relevance', 'labeled_at'],
        'reference_columns': [],
    }) -}}
{% endmacro %}

{% macro replaceable_seeds() %}
    {{- return([
        'alert_rules', 'drift_thresholds', 'degradation_thresholds', 'baseline_metrics', 'runbooks',
    ]) -}}
{% endmacro %}

{# The drift statistics, and those that only numeric columns have. #}
{% macro drift_methods() %}
    {{- return(mlmon.binned_methods() | list + ['chi_square', 'missing_change'] + mlmon.numeric_drift_methods()) -}}
{% endmacro %}

{% macro numeric_drift_methods() %}{{- return(['ks', 'wasserstein', 'wasserstein_normed']) -}}{% endmacro %}

{# What is computed where the configuration names nothing. #}
{% macro default_drift_methods() %}
    {{- return(['psi', 'js_distance', 'total_variation', 'missing_change', 'ks']) -}}
{% endmacro %}

{# Names that the tables give a meaning of their own. #}
{% macro reserved_names() %}
    {{- return(['all', '__missing__', '__other__', '__unseen__']) -}}
{% endmacro %}

{# What a metric may be compared with; the first is the default. #}
{% macro baseline_kinds() %}{{- return(['reference', 'previous_version', 'previous_span']) -}}{% endmacro %}

{% macro tasks() %}{{- return(['binary', 'multiclass', 'regression', 'ranking']) -}}{% endmacro %}

{# The tasks whose labels are numbers; those of the others are classes. #}
{% macro number_tasks() %}{{- return(['regression', 'ranking']) -}}{% endmacro %}
