{#
    One monitor: `given` has the defaults merged in, `block` is what the user wrote under the monitor itself.
#}
{% macro check_monitor(problems, where, given, block) %}
    {%- do mlmon.check_keys(problems, where, given, mlmon.monitor_keys()) -%}
    {%- do mlmon.check_choice(
        problems, where ~ ".task", given.get('task'), mlmon.tasks()
    ) -%}
    {%- do mlmon.check_choice(problems, where ~ ".grain", given.get('grain', 'day'), ['day', 'hour']) -%}
    {%- do mlmon.check_timezone(problems, where ~ ".timezone", given.get('timezone', 'UTC')) -%}
    {%- do mlmon.check_relation(problems, where ~ ".predictions", given.get('predictions')) -%}
    {%- if given.get('labels') is not none -%}
        {%- do mlmon.check_relation(problems, where ~ ".labels", given['labels']) -%}
    {%- else -%}
        {%- for key in mlmon.label_keys() if block.get(key) -%}
            {%- do mlmon.add_problem(
                problems, where ~ "." ~ key, key ~ " without a label log", key ~ " beside labels",
                "name the label log under `labels`, or remove it"
            ) -%}
        {%- endfor -%}
    {%- endif -%}
    {%- do mlmon.check_reference(problems, where, given, block) -%}
    {%- do mlmon.check_mapped_columns(problems, where, given) -%}
    {%- do mlmon.check_features(problems, where, given) -%}
    {%- do mlmon.check_segments(problems, where ~ ".segments", given.get('segments')) -%}
    {%- do mlmon.check_policies(problems, where, given, 'numeric', {}) -%}
    {%- do mlmon.check_choice(
        problems, where ~ ".threshold_policy", given.get('threshold_policy', 'larger'),
        ['larger', 'fixed', 'reference_windows']
    ) -%}
    {%- do mlmon.check_choice(problems, where ~ ".score_digits", given.get('score_digits', 3), [3, 4]) -%}
    {%- do mlmon.check_spans(problems, where ~ ".spans", given) -%}
    {%- do mlmon.check_label_times(problems, where, given) -%}
    {%- do mlmon.check_classes(problems, where, given) -%}
    {%- do mlmon.check_class_scores(problems, where ~ ".class_scores", given) -%}
    {%- do mlmon.check_threshold(problems, where, given) -%}
    {%- do mlmon.check_metrics(problems, where, given) -%}
    {%- do mlmon.check_quantile(problems, where ~ ".quantile", given) -%}
    {%- do mlmon.check_top_k(problems, where ~ ".top_k", given, block) -%}
    {%- do mlmon.check_choice(
        problems, where ~ ".baseline", given.get('baseline', 'reference'), mlmon.baseline_kinds()
    ) -%}
    {%- do mlmon.check_number(
        problems, where ~ ".close_after_minutes", given.get('close_after_minutes', 60), least=0,
        most=5270400
    ) -%}
    {%- do mlmon.check_slo(problems, where ~ ".slo", given.get('slo')) -%}
    {%- do mlmon.check_multivariate(problems, where ~ ".multivariate", given.get('multivariate')) -%}
    {%- do mlmon.check_fairness(problems, where ~ ".fairness", given) -%}
    {%- do mlmon.check_kpis(problems, where ~ ".kpis", given) -%}
    {%- do mlmon.check_value_matrix(problems, where ~ ".value_matrix", given) -%}
    {%- do mlmon.check_areas(problems, where ~ ".areas", given.get('areas')) -%}
    {%- for key in ['owner', 'description', 'dashboard_url'] if given.get(key) is not none -%}
        {%- do mlmon.check_text(problems, where ~ "." ~ key, given[key]) -%}
    {%- endfor -%}
{% endmacro %}

{% macro check_timezone(problems, where, value) %}
    {%- if value != 'UTC'
        and (value not in modules.pytz.all_timezones or '/' not in value) -%}
        {%- set near = mlmon.nearest(value, modules.pytz.common_timezones) if value is string -%}
        {%- do mlmon.add_problem(
            problems, where, mlmon.shown(value), "UTC or an IANA name like America/New_York",
            "did you mean " ~ near ~ "?" if near else "write the Area/City name"
        ) -%}
    {%- endif -%}
{% endmacro %}

{# Spans: whole numbers of days, or of hours where the base window is an hour. #}
{% macro check_spans(problems, where, given) %}
    {%- set spans = given.get('spans') -%}
    {%- set is_hourly = given.get('grain') == 'hour' -%}
    {%- set form = "a list like [1h, 24h, 7d]" if is_hourly else "a list like [1d, 7d, 28d]" -%}
    {%- if spans is not none and (not mlmon.is_list(spans) or not spans) -%}
        {%- do mlmon.add_problem(
            problems, where, mlmon.shown(spans), form, "write a list in brackets"
        ) -%}
    {%- else -%}
        {%- for span in spans or []
            if not modules.re.fullmatch('[1-9][0-9]{0,3}' ~ ('[dh]' if is_hourly else 'd'), span | string) -%}
            {%- do mlmon.add_problem(
                problems, where, mlmon.shown(span), form,
                "write whole days such as 7d" ~ (" or hours such as 24h" if is_hourly
                    else "; hours need `grain: hour`" if modules.re.fullmatch('[0-9]+h', span | string)
                    else "")
            ) -%}
        {%- endfor -%}
    {%- endif -%}
{% endmacro %}

{# When labels are due, and the ages at which performance is looked at before. #}
{% macro check_label_times(problems, where, given) %}
    {%- set horizon = given.get('label_horizon_days', 14) -%}
    {%- do mlmon.check_number(
        problems, where ~ ".label_horizon_days", horizon, least=1, most=3660
    ) -%}
    {%- set lookback = var('mlmon_lookback_days') -%}
    {%- if given.get('labels') is not none and horizon is integer and lookback is integer
        and 0 < lookback < horizon -%}
        {%- do mlmon.add_problem(
            problems, where ~ ".label_horizon_days",
            horizon ~ ", while runs look back mlmon_lookback_days (" ~ lookback ~ "), so that later labels are not seen",
            "mlmon_lookback_days of at least the horizon, or 0 for all history",
            "raise mlmon_lookback_days"
        ) -%}
    {%- endif -%}
    {%- set ages = given.get('label_ages_days', [1]) -%}
    {%- set here = where ~ ".label_ages_days" -%}
    {%- if not mlmon.is_list(ages) -%}
        {%- do mlmon.add_problem(
            problems, here, mlmon.shown(ages), "a list of whole days", "write a list like [1, 3, 7]"
        ) -%}
    {%- else -%}
        {%- for age in ages
            if age is not integer or age < 1 or (horizon is integer and age > [horizon, 1] | max) -%}
            {%- do mlmon.add_problem(
                problems, here, mlmon.shown(age),
                "whole days from 1 to label_horizon_days (" ~ horizon ~ ")",
                "remove it or raise label_horizon_days"
            ) -%}
        {%- endfor -%}
    {%- endif -%}
{% endmacro %}

{# Classes, what maps to them, and the outcomes that count as success. #}
{% macro check_classes(problems, where, given) %}
    {%- set task = given.get('task') -%}
    {%- set mapping = given.get('label_mapping') -%}
    {%- set positive = given.get('positive_class', 1) -%}
    {%- if 'positive_class' in given and mlmon.other_task(given, ['binary']) -%}
        {%- do mlmon.add_problem(
            problems, where ~ ".positive_class", "a positive class on a " ~ task ~ " monitor",
            "binary monitors only", "remove it"
        ) -%}
    {%- elif positive is none or positive is mapping or mlmon.is_list(positive)
        or mlmon.class_text(positive) in mlmon.reserved_names() -%}
        {%- do mlmon.add_problem(
            problems, where ~ ".positive_class", mlmon.shown(positive),
            "one class, none of " ~ mlmon.reserved_names() | join(", "),
            "name the class that counts as positive"
        ) -%}
    {%- endif -%}
    {%- if mapping -%}
        {%- do mlmon.check_label_mapping(problems, where, mapping, task, positive) -%}
    {%- endif -%}
    {%- if given.get('success_outcomes') is not none -%}
        {%- do mlmon.check_values(
            problems, where ~ ".success_outcomes", given['success_outcomes'], "[ok]"
        ) -%}
    {%- endif -%}
{% endmacro %}

{% macro check_label_mapping(problems, where, mapping, task, positive) %}
    {%- set here = where ~ ".label_mapping" -%}
    {%- if task in mlmon.number_tasks() or mapping is not mapping -%}
        {%- do mlmon.add_problem(
            problems, here, mlmon.shown(mapping) if mapping is not mapping
            else "classes on a " ~ task ~ " monitor", "{raw value: class}, where labels are classes",
            "map each value of the logs to its class" if mapping is not mapping else "remove it"
        ) -%}
    {%- else -%}
        {%- for raw, class in mapping.items() if raw is none or class is none
            or class is mapping or mlmon.is_list(class)
            or mlmon.class_text(class) in mlmon.reserved_names() -%}
            {%- do mlmon.add_problem(
                problems, here ~ "." ~ raw, mlmon.shown(class),
                "a class, none of " ~ mlmon.reserved_names() | join(", "), "name the class"
            ) -%}
        {%- endfor -%}
        {%- set classes = mlmon.text_mapping(mapping).values() | unique | list -%}
        {%- if task == 'binary' and mlmon.class_text(positive) not in classes -%}
            {%- do mlmon.add_problem(
                problems, where ~ ".positive_class", mlmon.shown(positive),
                "a class of label_mapping: " ~ classes | join(", "),
                "name the class that counts as positive"
            ) -%}
        {%- endif -%}
    {%- endif -%}
{% endmacro %}

{# A threshold makes the prediction of a log that has only scores. #}
{% macro check_threshold(problems, where, given) %}
    {%- set threshold = given.get('threshold') -%}
    {%- set columns = given.get('columns') or {} -%}
    {%- set here = where ~ ".threshold" -%}
    {%- if threshold is not none -%}
        {%- do mlmon.check_number(problems, here, threshold, whole=false) -%}
        {%- if mlmon.other_task(given, ['binary']) -%}
            {%- do mlmon.add_problem(
                problems, here, "a threshold on a " ~ given['task'] ~ " monitor", "binary monitors only",
                "remove it"
            ) -%}
        {%- elif columns is mapping and columns.get('prediction', '') is not none -%}
            {%- do mlmon.add_problem(
                problems, here, mlmon.shown(threshold) ~ " beside a prediction column",
                "a threshold where the log has no prediction",
                "remove it, or write `columns: {prediction: ~}`"
            ) -%}
        {%- elif columns is mapping and columns.get('score', '') is none -%}
            {%- do mlmon.add_problem(
                problems, here, mlmon.shown(threshold) ~ " without a score column",
                "a threshold over a score", "name the score under `columns`"
            ) -%}
        {%- endif -%}
    {%- endif -%}
{% endmacro %}

{# A regression monitor may predict a quantile instead of the mean. #}
{% macro check_quantile(problems, where, given) %}
    {%- set quantile = given.get('quantile') -%}
    {%- if quantile is not none and mlmon.other_task(given, ['regression']) -%}
        {%- do mlmon.add_problem(
            problems, where, "a quantile on a " ~ given['task'] ~ " monitor", "regression monitors only",
            "remove it"
        ) -%}
    {%- elif quantile is not none
        and (quantile is not number or quantile is boolean or quantile <= 0 or quantile >= 1) -%}
        {%- do mlmon.add_problem(
            problems, where, mlmon.shown(quantile), "a number between 0 and 1, both left out",
            "write the predicted quantile, such as 0.9"
        ) -%}
    {%- endif -%}
{% endmacro %}

{# The metrics whose degradation is judged. #}
{% macro check_metrics(problems, where, given) %}
    {%- set allowed = mlmon.metrics_to_judge(given) -%}
    {%- set metrics = given.get('metrics') or [] -%}
    {%- if allowed and 'primary_metric' in given -%}
        {%- do mlmon.check_choice(
            problems, where ~ ".primary_metric", given['primary_metric'], allowed
        ) -%}
    {%- endif -%}
    {%- if not mlmon.is_list(metrics) -%}
        {%- do mlmon.add_problem(
            problems, where ~ ".metrics", mlmon.shown(metrics),
            "a list of " ~ allowed | join(", "), "write a list in brackets"
        ) -%}
    {%- elif allowed -%}
        {%- for metric in metrics -%}
            {%- do mlmon.check_choice(problems, where ~ ".metrics", metric, allowed) -%}
        {%- endfor -%}
    {%- endif -%}
{% endmacro %}

{# The metrics that a monitor can be judged by: those of its task that its columns allow. #}
{% macro metrics_to_judge(given) %}
    {%- set columns = given.get('columns') or {} -%}
    {%- set columns = columns if columns is mapping else {} -%}
    {%- set has_prediction = (columns.get('prediction', '') is not none)
        or (given.get('threshold') is not none) -%}
    {%- if given.get('task') == 'ranking' -%}
        {{- return(mlmon.ranking_metrics(mlmon.top_k(given)) | list) -}}
    {%- endif -%}
    {%- set metrics = [] -%}
    {%- for metric in mlmon.judged_metric_names(given.get('task') | string) -%}
        {%- set has_column = has_prediction if metric not in mlmon.metrics_of_scores()
            else given.get('class_scores') if given['task'] == 'multiclass'
            else columns.get('score', '') is not none -%}
        {%- if has_column and (metric != 'pinball_loss' or given.get('quantile') is not none) -%}
            {%- do metrics.append(metric) -%}
        {%- endif -%}
    {%- endfor -%}
    {{- return(metrics) -}}
{% endmacro %}

{# The latency that requests should keep, and the share of them that must. #}
{% macro check_slo(problems, where, given) %}
    {%- if given is mapping -%}
        {%- do mlmon.check_keys(problems, where, given, ['latency_ms', 'target']) -%}
        {%- do mlmon.check_number(
            problems, where ~ ".latency_ms", given.get('latency_ms'), least=0, whole=false
        ) -%}
        {%- set target = given.get('target', 0.99) -%}
        {%- do mlmon.check_number(problems, where ~ ".target", target, whole=false) -%}
        {%- if target is number and target is not boolean and (target <= 0 or target >= 1) -%}
            {%- do mlmon.add_problem(
                problems, where ~ ".target", mlmon.shown(target), "a share above 0 and below 1",
                "write 0.99 where one request in a hundred may take longer"
            ) -%}
        {%- endif -%}
    {%- elif given is not none -%}
        {%- do mlmon.add_problem(
            problems, where, mlmon.shown(given), "{latency_ms: number, target: share}",
            "write `slo: {latency_ms: 100, target: 0.99}`"
        ) -%}
    {%- endif -%}
{% endmacro %}
