{# What the dictionaries of keys cannot say: values that are right or wrong beside others. #}
{% macro check_rules(problems, where, given, block) %}
    {%- do mlmon.check_reference(problems, where, given, block) -%}
    {%- do mlmon.check_mapped_columns(problems, where, given) -%}
    {%- do mlmon.check_features(problems, where, given) -%}
    {%- do mlmon.check_segments(problems, where ~ ".segments", given.get('segments')) -%}
    {%- do mlmon.check_policies(problems, where, given, 'numeric', {}) -%}
    {%- do mlmon.check_spans(problems, where ~ ".spans", given) -%}
    {%- do mlmon.check_label_times(problems, where, given) -%}
    {%- do mlmon.check_classes(problems, where, given) -%}
    {%- do mlmon.check_class_scores(problems, where ~ ".class_scores", given) -%}
    {%- do mlmon.check_metrics(problems, where, given) -%}
    {%- do mlmon.check_fairness(problems, where ~ ".fairness", given) -%}
    {%- do mlmon.check_kpis(problems, where ~ ".kpis", given) -%}
    {%- do mlmon.check_predictions(problems, where, given) -%}
{% endmacro %}

{#
    The rows that the bins are made from: a table of its own, two dates, the first days of the log, or none; and
    beside them at most one key that makes the reference move.
#}
{% macro check_reference(problems, where, given, block) %}
    {%- set r = given.get('reference') if 'reference' in given else {'first_days': 30} -%}
    {%- set here = where ~ ".reference" -%}
    {%- set rows = mlmon.reference_rows_of(r) -%}
    {%- set days = {'is': 'number', 'whole': true, 'least': 1, 'most': 3660, 'nothing': false} -%}
    {%- set moving = {
        'rolling_days': days, 'previous_span': {'is': 'flag', 'nothing': false}, 'version': {'is': 'rule'},
    } -%}
    {%- set is_table = rows is mapping and ('source' in rows or 'ref' in rows) -%}
    {%- if is_table -%}
        {%- do mlmon.check_relation(problems, here, rows) -%}
    {%- elif rows is mapping and 'first_days' in rows -%}
        {%- do mlmon.check_block(problems, here, r, dict({'first_days': days}, **moving)) -%}
    {%- elif rows is mapping and 'from' in rows and 'to' in rows -%}
        {%- set date = {'is': 'date', 'nothing': false} -%}
        {%- do mlmon.check_block(problems, here, r, dict({'from': date, 'to': date}, **moving)) -%}
        {%- if rows['from'] | string > rows['to'] | string -%}
            {%- do mlmon.add_problem(
                problems, here, "from " ~ rows['from'] ~ " after to " ~ rows['to'],
                "from on or before to", "swap the two dates"
            ) -%}
        {%- endif -%}
    {%- elif r is not none and r != 'none' and (rows or not r or r is not mapping) -%}
        {%- do mlmon.add_problem(
            problems, here,
            mlmon.shown(r) if r is not mapping
            else ("the keys " ~ r.keys() | join(", ") if r else "no keys"),
            "{source: [source, table]}, {ref: model}, {from: date, to: date}, {first_days: number},"
            ~ " {rolling_days: number}, {previous_span: true}, {version: name} or none",
            "use one of these forms"
        ) -%}
    {%- endif -%}
    {%- if r is mapping -%}
        {%- set written = moving | select('in', r) | list -%}
        {%- if written | length > 1 -%}
            {%- do mlmon.add_problem(
                problems, here, written | join(" beside "), "one of " ~ moving | join(", "),
                "keep the one to compare with"
            ) -%}
        {%- endif -%}
        {%- if is_table or rows is mapping and not ('first_days' in rows or 'from' in rows and 'to' in rows) -%}
            {%- for key in written -%}
                {%- do mlmon.check_value(problems, here ~ "." ~ key, r[key], moving[key]) -%}
            {%- endfor -%}
        {%- endif -%}
        {%- set version = r.get('version') -%}
        {%- if 'version' in r and (version is boolean or not (version is string or version is integer)
            or not version | string | trim or version == 'all') -%}
            {%- do mlmon.add_problem(
                problems, here ~ ".version", mlmon.shown(version), "one model_version of the log, not all",
                "write it as the log has it, in quotes where it looks like a number"
            ) -%}
        {%- endif -%}
    {%- endif -%}
    {%- if block.get('reference_columns') and not is_table -%}
        {%- do mlmon.add_problem(
            problems, where ~ ".reference_columns", "reference_columns without a reference table",
            "reference_columns beside a reference of its own relation",
            "name the table under `reference`, or remove it"
        ) -%}
    {%- endif -%}
{% endmacro %}

{# The column mappings of the three logs. #}
{% macro check_mapped_columns(problems, where, given) %}
    {%- for key, names in {
        'columns': mlmon.prediction_columns(), 'label_columns': mlmon.label_log_columns(),
        'reference_columns': mlmon.prediction_columns() + ['label', 'relevance'],
    }.items() -%}
        {%- set mapping = given.get(key) or {} -%}
        {%- set here = where ~ "." ~ key -%}
        {%- if mapping is not mapping -%}
            {%- do mlmon.add_problem(
                problems, here, mlmon.shown(mapping), "{" ~ names | join(", ") ~ "}",
                "map each of these to a column of the log, as {request_id: my_id}"
            ) -%}
        {%- else -%}
            {%- do mlmon.check_keys(problems, here, mapping, names) -%}
            {%- for name, column in mapping.items() if name in names -%}
                {%- set misplaced = mlmon.misplaced_column(name, column, given) -%}
                {%- if misplaced -%}
                    {%- do mlmon.add_problem(problems, here ~ "." ~ name, *misplaced) -%}
                {%- elif column is not none -%}
                    {%- do mlmon.check_mapped_column(problems, here ~ "." ~ name, column) -%}
                {%- elif name in mlmon.identity_columns()[key] -%}
                    {%- do mlmon.add_problem(
                        problems, here ~ "." ~ name, "nothing", "a column of the log",
                        "name the column; a log cannot be monitored without it"
                    ) -%}
                {%- endif -%}
            {%- endfor -%}
        {%- endif -%}
    {%- endfor -%}
{% endmacro %}

{# Columns that only some tasks have. Returns what is wrong with a mapped one as (found, allowed, fix), else none. #}
{% macro misplaced_column(name, column, given) %}
    {%- set task = given.get('task') -%}
    {%- set is_ranking = task == 'ranking' -%}
    {%- set on = " on a " ~ task ~ " monitor" -%}
    {%- if task not in mlmon.tasks() -%}{{- return(none) -}}{%- endif -%}
    {%- if not is_ranking and name in ('query_id', 'item_id') -%}
        {{- return((name ~ on, "ranking monitors only", "remove it")) -}}
    {%- elif not is_ranking and name == 'relevance' -%}
        {{- return((name ~ on, "label; relevance is the label of ranking monitors", "write `label` in its place")) -}}
    {%- elif is_ranking and name == 'label' -%}
        {{- return((name ~ on, "relevance, which is its label", "write `relevance` in its place")) -}}
    {%- elif is_ranking and name == 'prediction' and column is not none -%}
        {{- return(("a prediction" ~ on, "a score: it ranks the items of a query", "remove it")) -}}
    {%- elif is_ranking and name == 'score' and column is none -%}
        {{- return(("no score" ~ on, "a column of the log: it ranks the items of a query", "name the score")) -}}
    {%- endif -%}
    {{- return(none) -}}
{% endmacro %}

{# A column of a log: a name, {name:, quote:} or {expression:}. #}
{% macro check_mapped_column(problems, where, given) %}
    {%- set block = given if given is mapping else {} -%}
    {%- do mlmon.check_keys(problems, where, block, ['name', 'quote', 'expression']) -%}
    {%- do mlmon.check_column(problems, where, block, 'name', given.get('name') if given is mapping else given) -%}
{% endmacro %}

{#
    What a mapping, feature or segment says of its column. `key` is what its name is written under; `name` is
    what is written there, or the name of the feature or segment.
#}
{% macro check_column(problems, where, given, key, name) %}
    {%- if 'quote' in given -%}
        {%- do mlmon.check_value(problems, where ~ ".quote", given['quote'], {'is': 'flag'}) -%}
    {%- endif -%}
    {%- if given.get('expression') is not none -%}
        {%- do mlmon.check_value(problems, where ~ ".expression", given['expression'], {'is': 'text'}) -%}
        {%- for other in [key, 'quote'] if given.get(other) -%}
            {%- do mlmon.add_problem(
                problems, where, "both " ~ other ~ " and expression", "one of them",
                "keep the expression, which may name and quote columns"
            ) -%}
        {%- endfor -%}
    {%- elif name is none or (name is string and not name | trim) -%}
        {%- do mlmon.add_problem(
            problems, where, "no name of a column", "a name, {name:, quote:} or {expression:}",
            "name the column of the log"
        ) -%}
    {%- elif name is not string -%}
        {%- do mlmon.add_problem(
            problems, where, "the name " ~ mlmon.shown(name) ~ ", which YAML does not read as a text",
            "a text", "write the name in quotes"
        ) -%}
    {%- elif given.get('quote', false) is sameas false
        and not modules.re.fullmatch('[A-Za-z_][A-Za-z0-9_]*', name) -%}
        {%- do mlmon.add_problem(
            problems, where, "the name " ~ mlmon.shown(name),
            "letters, digits and _, or any name with `quote: true`",
            "write {" ~ key ~ ": " ~ mlmon.shown(name) ~ ", quote: true}"
        ) -%}
    {%- endif -%}
{% endmacro %}

{# The features: their kinds, columns, limits and policies, and names that can be told apart. #}
{% macro check_features(problems, where, given) %}
    {%- set features = given.get('features') or {} -%}
    {%- set here = where ~ ".features" -%}
    {%- if features is not mapping -%}
        {%- set spec = mlmon.monitor_keys()['features'] -%}
        {%- do mlmon.add_problem(problems, here, mlmon.shown(features), spec.form, spec.write) -%}
    {%- else -%}
        {%- set seen = {} -%}
        {%- for name, written in features.items() -%}
            {%- set feature = written if written is mapping else {'kind': written} -%}
            {%- do mlmon.check_feature(problems, here ~ "." ~ name, name, feature, given) -%}
            {%- do mlmon.check_case(problems, here ~ "." ~ name, name, feature, seen) -%}
        {%- endfor -%}
    {%- endif -%}
{% endmacro %}

{% macro check_feature(problems, here, name, feature, given) %}
    {%- set kind = feature.get('kind') -%}
    {%- do mlmon.check_reserved(problems, here, name, 'feature', ['score', 'prediction', 'label']) -%}
    {%- do mlmon.check_block(problems, here, feature, mlmon.feature_keys()) -%}
    {%- do mlmon.check_column(problems, here, feature, 'column', feature.get('column', name)) -%}
    {%- for key in ['min', 'max'] if feature.get(key) is not none -%}
        {%- if kind in ('categorical', 'boolean') -%}
            {%- do mlmon.add_problem(
                problems, here ~ "." ~ key, "a limit on a " ~ kind ~ " feature",
                "limits on numeric features", "remove it or make the feature numeric"
            ) -%}
        {%- else -%}
            {%- do mlmon.check_number(problems, here ~ "." ~ key, feature[key], whole=false) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if feature.get('min') is number and feature.get('max') is number
        and feature['min'] > feature['max'] -%}
        {%- do mlmon.add_problem(
            problems, here, "min " ~ feature['min'] ~ " above max " ~ feature['max'],
            "min at or below max", "swap the two"
        ) -%}
    {%- endif -%}
    {%- do mlmon.check_policies(problems, here, feature, kind, given.get('bins') or {}) -%}
{% endmacro %}

{% macro check_reserved(problems, where, name, what, others=[]) %}
    {%- set reserved = mlmon.reserved_names() + others -%}
    {%- if name in reserved -%}
        {%- do mlmon.add_problem(
            problems, where, "the reserved name " ~ mlmon.shown(name), "any name but " ~ reserved | join(", "),
            "rename the " ~ what ~ " and point it at its column with `column: " ~ name ~ "`"
        ) -%}
    {%- endif -%}
{% endmacro %}

{# Unquoted names are the same to a warehouse where they differ by case alone. #}
{% macro check_case(problems, where, name, given, seen) %}
    {%- set folded = name | string | lower -%}
    {%- if folded in seen and not (given.get('quote') or given.get('expression')
        or given.get('column') or seen[folded].is_apart) -%}
        {%- do mlmon.add_problem(
            problems, where, "a name that differs from " ~ mlmon.shown(seen[folded].name) ~ " by case alone",
            "names that differ by more, or `quote: true`", "remove one, or quote both"
        ) -%}
    {%- endif -%}
    {%- do seen.update({folded: {
        'name': name,
        'is_apart': given.get('quote') or given.get('expression') or given.get('column'),
    }}) -%}
{% endmacro %}

{# The segments: a list of columns, each with declared values or a cap on the frequent ones. #}
{% macro check_segments(problems, where, given) %}
    {%- if given is not none and not mlmon.is_list(given) -%}
        {%- set spec = mlmon.monitor_keys()['segments'] -%}
        {%- do mlmon.add_problem(problems, where, mlmon.shown(given), spec.form, spec.write) -%}
    {%- else -%}
        {%- set seen = {} -%}
        {%- for written in given or [] -%}
            {%- set segment = written if written is mapping else {'name': written} -%}
            {%- set name = segment.get('name') -%}
            {%- set here = where ~ "." ~ (name if name else loop.index) -%}
            {%- if name is none -%}
                {%- do mlmon.add_problem(
                    problems, here, "a segment without a name", "a column or {name:, ...}",
                    "add `name:`"
                ) -%}
            {%- elif name in seen.values() | map(attribute='name') | list -%}
                {%- do mlmon.add_problem(
                    problems, here, "the same name twice", "each segment once", "remove one of them"
                ) -%}
            {%- else -%}
                {%- do mlmon.check_block(problems, here, segment, mlmon.segment_keys()) -%}
                {%- do mlmon.check_reserved(problems, here, name, 'segment') -%}
                {%- do mlmon.check_column(problems, here, segment, 'column', segment.get('column', name)) -%}
                {%- if segment.get('values') is not none and 'max_values' in segment -%}
                    {%- do mlmon.add_problem(
                        problems, here, "both values and max_values", "one of them",
                        "keep values to name them, or max_values to cap them"
                    ) -%}
                {%- endif -%}
                {%- do mlmon.check_case(problems, here, name, segment, seen) -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
{% endmacro %}

{# Bins and methods of a monitor, or of one feature with its monitor's bins. #}
{% macro check_policies(problems, where, given, kind, inherited) %}
    {%- for key in ['drift_methods', 'drift_rule'] if given.get(key) is not none -%}
        {%- do mlmon.check_methods(problems, where ~ "." ~ key, given[key], kind, key) -%}
    {%- endfor -%}
    {%- set bins = given.get('bins') -%}
    {%- if bins is none -%}
    {%- elif bins is not mapping -%}
        {%- set spec = mlmon.policy_keys()['bins'] -%}
        {%- do mlmon.add_problem(problems, where ~ ".bins", mlmon.shown(bins), spec.form, spec.write) -%}
    {%- elif kind == 'numeric' -%}
        {%- do mlmon.check_bins(problems, where ~ ".bins", bins, inherited if inherited is mapping else {}) -%}
    {%- else -%}
        {%- do mlmon.check_block(problems, where ~ ".bins", bins, {
            'k': {'is': 'number', 'whole': true, 'least': 2, 'most': 100, 'nothing': false},
        }) -%}
    {%- endif -%}
{% endmacro %}

{# A list of drift statistics that the kind of column has; all of them may be called `all`. #}
{% macro check_methods(problems, where, given, kind, key) %}
    {%- set known = mlmon.drift_methods() if kind == 'numeric'
        else mlmon.drift_methods() | reject('in', mlmon.numeric_drift_methods()) | list -%}
    {%- set allowed = "a list of " ~ known | join(", ")
        ~ (", or all" if key == 'drift_methods' else "") -%}
    {%- if given == 'all' and key == 'drift_methods' -%}
    {%- elif not mlmon.is_list(given) or not given -%}
        {%- do mlmon.add_problem(
            problems, where, mlmon.shown(given), allowed, "write a list like [psi]"
        ) -%}
    {%- else -%}
        {%- for method in given if method not in known -%}
            {%- set near = mlmon.nearest(method, known) if method is string -%}
            {%- do mlmon.add_problem(
                problems, where, mlmon.shown(method), allowed,
                "did you mean " ~ near ~ "?" if near else "remove it"
            ) -%}
        {%- endfor -%}
    {%- endif -%}
{% endmacro %}

{% macro check_bins(problems, where, bins, inherited) %}
    {%- set policy = bins.get('policy', inherited.get('policy', 'quantile')) -%}
    {%- set edges = bins.get('edges', inherited.get('edges')) -%}
    {%- do mlmon.check_block(problems, where, bins, {
        'policy': {'is': 'choice', 'allowed': ['quantile', 'equal_width', 'custom'], 'nothing': false},
        'k': {'is': 'rule' if policy == 'custom' else 'number', 'whole': true, 'least': 2, 'most': 100, 'nothing': false},
        'edges': {'is': 'rule'},
    }) -%}
    {%- if 'k' in bins and policy == 'custom' -%}
        {%- do mlmon.add_problem(
            problems, where ~ ".k", "k beside custom edges",
            "k with the policies quantile and equal_width", "remove it; the edges say how many bins"
        ) -%}
    {%- endif -%}
    {%- set listed = edges if mlmon.is_list(edges) else [] -%}
    {%- set unfit = namespace(any=not listed or listed | length > 99) -%}
    {%- for edge in listed if not unfit.any -%}
        {%- set unfit.any = edge is not number or edge is boolean or edge != edge
            or edge | abs > 1.7e308 or not loop.first and not edge > loop.previtem -%}
    {%- endfor -%}
    {%- if policy == 'custom' and not edges -%}
        {%- do mlmon.add_problem(
            problems, where ~ ".edges", "custom bins without edges",
            "an ascending list of numbers", "write a list like [0, 10, 100]"
        ) -%}
    {%- elif bins.get('edges') is not none and policy != 'custom' -%}
        {%- do mlmon.add_problem(
            problems, where ~ ".edges", "edges with the policy " ~ policy,
            "edges with the policy custom", "add `policy: custom` or remove the edges"
        ) -%}
    {%- elif 'edges' in bins and policy == 'custom' and unfit.any -%}
        {%- do mlmon.add_problem(
            problems, where ~ ".edges", mlmon.shown(edges), "up to 99 different numbers in ascending order",
            "sort them, remove repeats, and write them as 1, 0.5 or 1.0e-4"
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
    {%- set keys = mlmon.monitor_keys() -%}
    {%- set horizon = given.get('label_horizon_days', keys.label_horizon_days.default) -%}
    {%- set lookback = var('mlmon_lookback_days', none) -%}
    {%- if given.get('labels') is not none and horizon is integer and lookback is integer
        and 0 < lookback < horizon -%}
        {%- do mlmon.add_problem(
            problems, where ~ ".label_horizon_days",
            horizon ~ ", while runs look back mlmon_lookback_days (" ~ lookback ~ "), so that later labels are not seen",
            "mlmon_lookback_days of at least the horizon, or 0 for all history",
            "raise mlmon_lookback_days"
        ) -%}
    {%- endif -%}
    {%- set ages = given.get('label_ages_days', []) -%}
    {%- set here = where ~ ".label_ages_days" -%}
    {%- if not mlmon.is_list(ages) -%}
        {%- do mlmon.add_problem(
            problems, here, mlmon.shown(ages), keys.label_ages_days.form, keys.label_ages_days.write
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

{# The positive class, and what values of the logs are mapped to. #}
{% macro check_classes(problems, where, given) %}
    {%- set task = given.get('task') -%}
    {%- set mapping = given.get('label_mapping') -%}
    {%- set positive = given.get('positive_class', 1) -%}
    {%- set here = where ~ ".label_mapping" -%}
    {%- set not_reserved = ", none of " ~ mlmon.reserved_names() | join(", ") -%}
    {%- if not mlmon.other_task(given, ['binary']) and not mlmon.is_class(positive) -%}
        {%- do mlmon.add_problem(
            problems, where ~ ".positive_class", mlmon.shown(positive), "one class" ~ not_reserved,
            "name the class that counts as positive"
        ) -%}
    {%- endif -%}
    {%- if mapping and (task in mlmon.number_tasks() or mapping is not mapping) -%}
        {%- do mlmon.add_problem(
            problems, here, mlmon.shown(mapping) if mapping is not mapping
            else "classes on a " ~ task ~ " monitor", "{raw value: class}, where labels are classes",
            "map each value of the logs to its class" if mapping is not mapping else "remove it"
        ) -%}
    {%- elif mapping -%}
        {%- for raw, class in mapping.items() if raw is none or not mlmon.is_class(class) -%}
            {%- do mlmon.add_problem(
                problems, here ~ "." ~ raw, mlmon.shown(class), "a class" ~ not_reserved, "name the class"
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

{# Whether a value can be a class. #}
{% macro is_class(value) %}
    {{- return(
        value is not none and value is not mapping and not mlmon.is_list(value)
        and mlmon.class_text(value) not in mlmon.reserved_names()
    ) -}}
{% endmacro %}

{# Of a multiclass monitor, the column of each class's score. #}
{% macro check_class_scores(problems, where, given) %}
    {%- set scores = given.get('class_scores') -%}
    {%- if scores is none or mlmon.other_task(given, ['multiclass']) -%}
    {%- elif scores is not mapping -%}
        {%- do mlmon.add_problem(
            problems, where, mlmon.shown(scores), "{class: column}, one for each class",
            "map each class to the column of its score"
        ) -%}
    {%- elif scores | length < 2 -%}
        {%- do mlmon.add_problem(
            problems, where, "scores of " ~ scores | length ~ " class" ~ ("" if scores | length == 1 else "es"),
            "the scores of two classes or more", "map every class that the model knows"
        ) -%}
    {%- else -%}
        {%- set written_mapping = given.get('label_mapping') -%}
        {%- set mapping = mlmon.text_mapping(written_mapping) or {} if written_mapping is mapping else {} -%}
        {%- set seen = [] -%}
        {%- for written, column in scores.items() -%}
            {%- set class = mlmon.class_text(written) -%}
            {%- set here = where ~ "." ~ written -%}
            {%- if not mlmon.is_class(written) -%}
                {%- do mlmon.add_problem(
                    problems, here, mlmon.shown(written),
                    "a class, none of " ~ mlmon.reserved_names() | join(", "), "name the class"
                ) -%}
            {%- elif class in seen -%}
                {%- do mlmon.add_problem(
                    problems, here, "the class " ~ mlmon.shown(class) ~ " twice",
                    "each class once", "remove one of the two"
                ) -%}
            {%- elif class in mapping and class not in mapping.values() -%}
                {%- do mlmon.add_problem(
                    problems, here, "a value that label_mapping turns into " ~ mlmon.shown(mapping[class]),
                    "the classes that label_mapping makes", "write " ~ mapping[class]
                ) -%}
            {%- endif -%}
            {%- do seen.append(class) -%}
            {%- do mlmon.check_mapped_column(problems, here, column) -%}
        {%- endfor -%}
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

{# Fairness: the segments of a binary monitor between whose values decisions and errors are compared. #}
{% macro check_fairness(problems, where, given) %}
    {%- set asked = given.get('fairness') -%}
    {%- set segments = given.get('segments') -%}
    {%- set names = [] -%}
    {%- for segment in (segments if mlmon.is_list(segments) else []) -%}
        {%- do names.append(segment.get('name') if segment is mapping else segment) -%}
    {%- endfor -%}
    {%- if asked is none or asked and mlmon.other_task(given, ['binary']) -%}
    {%- elif not mlmon.is_list(asked) -%}
        {%- do mlmon.add_problem(
            problems, where, mlmon.shown(asked), "a list of segments", "write a list like [region]"
        ) -%}
    {%- else -%}
        {%- for name in asked if name not in names -%}
            {%- set near = mlmon.nearest(name, names) -%}
            {%- do mlmon.add_problem(
                problems, where, mlmon.shown(name),
                "segments of the monitor: " ~ (names | join(", ") if names else "none"),
                "did you mean " ~ near ~ "?" if near else "name it under `segments`, too"
            ) -%}
        {%- endfor -%}
    {%- endif -%}
{% endmacro %}

{% macro check_kpis(problems, where, given) %}
    {%- set kpis = given.get('kpis') -%}
    {%- set matrix = given.get('value_matrix') -%}
    {%- set has_labels = given.get('labels') is not none -%}
    {%- if kpis is not none and kpis is not mapping -%}
        {%- do mlmon.add_problem(
            problems, where, mlmon.shown(kpis), "{name: {expression: ...}}",
            "write each KPI as a name and a block with its expression"
        ) -%}
    {%- else -%}
        {%- for name, block in (kpis or {}).items() -%}
            {%- set here = where ~ "." ~ name -%}
            {%- do mlmon.check_name(problems, here, name, "KPI") -%}
            {%- if name == 'value' and matrix -%}
                {%- do mlmon.add_problem(
                    problems, here, "a KPI of that name beside a value matrix",
                    "any other name, since the value matrix is the KPI 'value'", "rename the KPI"
                ) -%}
            {%- endif -%}
            {%- if block is not mapping -%}
                {%- do mlmon.add_problem(
                    problems, here, mlmon.shown(block), "a block of " ~ mlmon.kpi_keys() | join(", "),
                    "write `" ~ name ~ ": {expression: ...}`"
                ) -%}
            {%- else -%}
                {%- do mlmon.check_block(problems, here, block, mlmon.kpi_keys()) -%}
                {%- set names_label = mlmon.names_label(block.get('expression')) -%}
                {%- if block.get('needs_label') is false and names_label -%}
                    {%- do mlmon.add_problem(
                        problems, here ~ ".needs_label", "false beside an expression that names `label`",
                        "true, or an expression without `label`", "remove needs_label"
                    ) -%}
                {%- elif not has_labels and (block.get('needs_label') is true or names_label) -%}
                    {%- do mlmon.add_problem(
                        problems, here, "a KPI of labels without a label log", "KPIs of labels beside labels",
                        "name the label log under `labels`, or leave `label` out of the expression"
                    ) -%}
                {%- endif -%}
                {%- do mlmon.check_order(problems, here, block.get('warning'), block.get('critical'), "swap the two") -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
    {%- if matrix is mapping -%}
        {%- do mlmon.check_order(
            problems, where | replace('.kpis', '.value_matrix'), matrix.get('warning'), matrix.get('critical'),
            "swap the two"
        ) -%}
    {%- endif -%}
{% endmacro %}

{# What needs a prediction or a score of the log, and a threshold, which makes the prediction of a log that has only scores. #}
{% macro check_predictions(problems, where, given) %}
    {%- set columns = given.get('columns') or {} -%}
    {%- set columns = columns if columns is mapping else {} -%}
    {%- set has_prediction = columns.get('prediction', '') is not none -%}
    {%- set has_score = columns.get('score', '') is not none -%}
    {%- set threshold = given.get('threshold') -%}
    {%- set task = given.get('task') -%}
    {%- if threshold is not none and not mlmon.other_task(given, ['binary']) and (has_prediction or not has_score) -%}
        {%- do mlmon.add_problem(
            problems, where ~ ".threshold",
            mlmon.shown(threshold) ~ (" beside a prediction column" if has_prediction else " without a score column"),
            "a threshold where the log has no prediction" if has_prediction else "a threshold over a score",
            "remove it, or write `columns: {prediction: ~}`" if has_prediction else "name the score under `columns`"
        ) -%}
    {%- endif -%}
    {%- if given.get('value_matrix') is mapping and not mlmon.other_task(given, ['binary'])
        and threshold is none and not has_prediction -%}
        {%- do mlmon.add_problem(
            problems, where ~ ".value_matrix", "a value matrix without predictions",
            "a prediction column or a threshold",
            "name the prediction under `columns`, or a `threshold` over the score"
        ) -%}
    {%- endif -%}
    {%- if not given.get('features') and task != 'ranking' and threshold is none and not has_prediction
        and (task == 'regression' or not has_score) and given.get('columns') is mapping -%}
        {%- do mlmon.add_problem(
            problems, where ~ ".features", "no feature, no score and no prediction",
            "at least one of them", "name the features, or map the score or the prediction"
        ) -%}
    {%- endif -%}
{% endmacro %}
