{# One monitor's block, with the defaults merged in. #}
{% macro check_monitor(problems, where, given) %}
    {%- do mlmon.check_keys(problems, where, given, mlmon.monitor_keys()) -%}
    {%- do mlmon.check_choice(
        problems, where ~ ".task", given.get('task'), ['binary', 'multiclass', 'regression']
    ) -%}
    {%- do mlmon.check_choice(problems, where ~ ".grain", given.get('grain', 'day'), ['day', 'hour']) -%}
    {%- if not modules.re.match(
        '^(UTC|[A-Z][A-Za-z_]+(/[A-Za-z0-9_+-]+)+)$', given.get('timezone', 'UTC') | string
    ) -%}
        {%- do mlmon.add_problem(
            problems, where ~ ".timezone", mlmon.shown(given.get('timezone')),
            "UTC or an IANA name like America/New_York", "write the Area/City name"
        ) -%}
    {%- endif -%}
    {%- do mlmon.check_relation(problems, where ~ ".predictions", given.get('predictions')) -%}
    {%- if given.get('labels') is not none -%}
        {%- do mlmon.check_relation(problems, where ~ ".labels", given['labels']) -%}
    {%- elif given.get('label_columns') -%}
        {%- do mlmon.add_problem(
            problems, where ~ ".label_columns", "label columns without a label log",
            "label_columns beside labels", "name the label log under `labels`"
        ) -%}
    {%- endif -%}
    {%- do mlmon.check_reference(problems, where ~ ".reference", given) -%}
    {%- do mlmon.check_mapped_columns(problems, where, given) -%}
    {%- do mlmon.check_features(problems, where, given) -%}
    {%- do mlmon.check_segments(problems, where, given) -%}
    {%- do mlmon.check_times(problems, where, given) -%}
    {%- do mlmon.check_classes(problems, where, given) -%}
    {%- do mlmon.check_policies(problems, where, given, 'numeric') -%}
{% endmacro %}

{% macro check_reference(problems, where, given) %}
    {%- set r = given.get('reference') if 'reference' in given else {'first_days': 30} -%}
    {%- set form = "a relation, {from: date, to: date}, {first_days: number} or ~" -%}
    {%- if r is none -%}
    {%- elif r is not mapping -%}
        {%- do mlmon.add_problem(
            problems, where, mlmon.shown(r), form, "write the reference as a block"
        ) -%}
    {%- elif 'source' in r or 'ref' in r -%}
        {%- do mlmon.check_relation(problems, where, r) -%}
    {%- elif 'first_days' in r -%}
        {%- do mlmon.check_keys(problems, where, r, ['first_days']) -%}
        {%- do mlmon.check_number(problems, where ~ ".first_days", r['first_days'], 1) -%}
    {%- elif 'from' in r and 'to' in r -%}
        {%- do mlmon.check_keys(problems, where, r, ['from', 'to']) -%}
        {%- do mlmon.check_date(problems, where ~ ".from", r['from']) -%}
        {%- do mlmon.check_date(problems, where ~ ".to", r['to']) -%}
        {%- if r['from'] | string > r['to'] | string -%}
            {%- do mlmon.add_problem(
                problems, where, "from " ~ r['from'] ~ " after to " ~ r['to'],
                "from on or before to", "swap the two dates"
            ) -%}
        {%- endif -%}
    {%- else -%}
        {%- do mlmon.add_problem(
            problems, where, "the keys " ~ r.keys() | join(", "), form, "use one of these forms"
        ) -%}
    {%- endif -%}
{% endmacro %}

{# The column mappings: known keys, and names that SQL takes as they are unless quoted. #}
{% macro check_mapped_columns(problems, where, given) %}
    {%- for key, names in {
        'columns': mlmon.prediction_columns(), 'label_columns': mlmon.label_log_columns(),
        'reference_columns': mlmon.prediction_columns() + ['label'],
    }.items() -%}
        {%- set mapping = given.get(key) or {} -%}
        {%- if mapping is not mapping -%}
            {%- do mlmon.add_problem(
                problems, where ~ "." ~ key, mlmon.shown(mapping), "{" ~ names | join(", ") ~ "}",
                "map each of mlmon's names to a column of yours"
            ) -%}
        {%- else -%}
            {%- do mlmon.check_keys(problems, where ~ "." ~ key, mapping, names) -%}
            {%- for name, column in mapping.items() if name in names -%}
                {%- if column is none and name in ('request_id', 'predicted_at', 'label', 'labeled_at')
                    and key != 'reference_columns' -%}
                    {%- do mlmon.add_problem(
                        problems, where ~ "." ~ key ~ "." ~ name, "nothing (~)", "a column",
                        "a log cannot be monitored without it; name the column"
                    ) -%}
                {%- elif column is not none -%}
                    {%- do mlmon.check_column(
                        problems, where ~ "." ~ key ~ "." ~ name, column,
                        ['name', 'quote', 'expression']
                    ) -%}
                {%- endif -%}
            {%- endfor -%}
        {%- endif -%}
    {%- endfor -%}
{% endmacro %}

{% macro check_column(problems, where, given, keys) %}
    {%- if given is mapping -%}
        {%- do mlmon.check_keys(problems, where, given, keys) -%}
        {%- do mlmon.check_column_name(problems, where, given.get('name'), given) -%}
    {%- else -%}
        {%- do mlmon.check_column_name(problems, where, given, {}) -%}
    {%- endif -%}
{% endmacro %}

{# A name that SQL takes as it is, unless it is quoted or an expression stands in its place. #}
{% macro check_column_name(problems, where, name, given) %}
    {%- if given.get('expression') is none and not given.get('quote', false)
        and not modules.re.match('^[A-Za-z_][A-Za-z0-9_]*$', name | string) -%}
        {%- do mlmon.add_problem(
            problems, where, "the name " ~ mlmon.shown(name),
            "letters, digits and _, or any name with `quote: true`", "add `quote: true`"
        ) -%}
    {%- endif -%}
{% endmacro %}

{# Spans, label ages and the other counts of days and minutes. #}
{% macro check_times(problems, where, given) %}
    {%- set spans = given.get('spans') -%}
    {%- set units = ['d', 'h'] if given.get('grain') == 'hour' else ['d'] -%}
    {%- set form = "a list like [1d, 7d, 28d]" ~ (" or [1h, 24h, 7d]" if 'h' in units else "") -%}
    {%- if spans is not none and (spans is string or spans is not sequence or not spans) -%}
        {%- do mlmon.add_problem(
            problems, where ~ ".spans", mlmon.shown(spans), form, "write a list in brackets"
        ) -%}
    {%- else -%}
        {%- for span in spans or [] -%}
            {%- if not modules.re.match('^[1-9][0-9]{0,3}[' ~ units | join ~ ']$', span | string) -%}
                {%- do mlmon.add_problem(
                    problems, where ~ ".spans", mlmon.shown(span), form,
                    "write a whole number and its unit (" ~ units | join(" or ") ~ ")"
                ) -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
    {%- set horizon = given.get('label_horizon_days', 14) -%}
    {%- do mlmon.check_number(problems, where ~ ".label_horizon_days", horizon, 1) -%}
    {%- set ages = given.get('label_ages_days', [1]) -%}
    {%- if ages is string or ages is not sequence -%}
        {%- do mlmon.add_problem(
            problems, where ~ ".label_ages_days", mlmon.shown(ages), "a list of whole days",
            "write a list like [1, 3, 7]"
        ) -%}
    {%- else -%}
        {%- for age in ages -%}
            {%- if age is not integer or age is boolean or age < 1
                or (horizon is integer and 'label_ages_days' in given and age > horizon) -%}
                {%- do mlmon.add_problem(
                    problems, where ~ ".label_ages_days", mlmon.shown(age),
                    "whole days from 1 to label_horizon_days (" ~ horizon ~ ")",
                    "remove it or raise label_horizon_days"
                ) -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
    {%- do mlmon.check_number(
        problems, where ~ ".close_after_minutes", given.get('close_after_minutes', 60), 0
    ) -%}
    {%- if given.get('slo_latency_ms') is not none -%}
        {%- do mlmon.check_number(
            problems, where ~ ".slo_latency_ms", given['slo_latency_ms'], 0, whole=false
        ) -%}
    {%- endif -%}
{% endmacro %}

{# Classes, thresholds, outcomes and metrics. #}
{% macro check_classes(problems, where, given) %}
    {%- set task = given.get('task') -%}
    {%- set mapping = given.get('label_mapping') -%}
    {%- if mapping is not none and mapping is not mapping -%}
        {%- do mlmon.add_problem(
            problems, where ~ ".label_mapping", mlmon.shown(mapping), "{raw value: class}",
            "map each value of the logs to its class"
        ) -%}
    {%- elif mapping and task == 'binary'
        and given.get('positive_class', 1) | string not in mapping.values() | map('string') -%}
        {%- do mlmon.add_problem(
            problems, where ~ ".positive_class", mlmon.shown(given.get('positive_class', 1)),
            "a class of label_mapping: " ~ mapping.values() | unique | join(", "),
            "name the class that counts as positive"
        ) -%}
    {%- endif -%}
    {%- for key in ['positive_class', 'threshold'] if key in given and task not in ('binary', none) -%}
        {%- do mlmon.add_problem(
            problems, where ~ "." ~ key, "it on a " ~ task ~ " monitor", "binary monitors only",
            "remove it"
        ) -%}
    {%- endfor -%}
    {%- if given.get('threshold') is not none -%}
        {%- if (given.get('columns') or {}).get('prediction', '') is not none -%}
            {%- do mlmon.add_problem(
                problems, where ~ ".threshold", mlmon.shown(given['threshold']),
                "only where the log has no prediction (columns: {prediction: ~})",
                "remove the threshold, or say that the log has no prediction"
            ) -%}
        {%- endif -%}
        {%- do mlmon.check_number(
            problems, where ~ ".threshold", given['threshold'], -1e300, whole=false
        ) -%}
    {%- endif -%}
    {%- set outcomes = given.get('success_outcomes') -%}
    {%- if outcomes is not none and (outcomes is string or outcomes is not sequence or not outcomes) -%}
        {%- do mlmon.add_problem(
            problems, where ~ ".success_outcomes", mlmon.shown(outcomes), "a list of outcomes",
            "write a list like [ok]"
        ) -%}
    {%- endif -%}
    {%- set metrics = mlmon.metrics_of_task(task) -%}
    {%- if metrics -%}
        {%- if 'primary_metric' in given -%}
            {%- do mlmon.check_choice(
                problems, where ~ ".primary_metric", given['primary_metric'], metrics
            ) -%}
        {%- endif -%}
        {%- set declared = given.get('metrics') or [] -%}
        {%- if declared is string or declared is not sequence -%}
            {%- do mlmon.add_problem(
                problems, where ~ ".metrics", mlmon.shown(declared), metrics | join(", "),
                "write a list in brackets"
            ) -%}
        {%- else -%}
            {%- for metric in declared -%}
                {%- do mlmon.check_choice(problems, where ~ ".metrics", metric, metrics) -%}
            {%- endfor -%}
        {%- endif -%}
    {%- endif -%}
{% endmacro %}
