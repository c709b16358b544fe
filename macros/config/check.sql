{#
    Raises one error with everything that is wrong in the configuration, as far as YAML alone can tell. What only
    the relations can tell is checked in staging (check_columns). Nodes of a consumer see its own vars alone, not the
    defaults of the package's: these are checked where they are seen.
#}
{% macro check_configuration() %}
    {%- set problems = [] -%}
    {%- set declared = var('mlmon_monitors', {}) or {} -%}
    {%- set defaults = var('mlmon_defaults', {}) or {} -%}
    {%- for name, spec in mlmon.variable_keys().items() if var.has_var(name) and (var(name) or spec.nothing is false) -%}
        {%- do mlmon.check_value(problems, name, var(name), spec) -%}
    {%- endfor -%}
    {%- if defaults is not mapping -%}
        {%- do mlmon.add_problem(
            problems, "mlmon_defaults", mlmon.shown(defaults), "keys of a monitor",
            "write `mlmon_defaults: {spans: [1d, 7d]}`"
        ) -%}
        {%- set defaults = {} -%}
    {%- endif -%}
    {%- do mlmon.check_keys(problems, "mlmon_defaults", defaults, mlmon.monitor_keys()) -%}
    {%- if declared is mapping -%}
        {%- for name, block in declared.items() -%}
            {%- do mlmon.check_monitor(problems, name, block, defaults) -%}
        {%- endfor -%}
    {%- else -%}
        {%- do mlmon.add_problem(
            problems, "mlmon_monitors", mlmon.shown(declared), "one block a monitor, under its name",
            "write `mlmon_monitors: {my_model: {task: binary, ...}}`"
        ) -%}
    {%- endif -%}
    {%- if problems -%}{%- do mlmon.raise_problems("cannot use its configuration", problems) -%}{%- endif -%}
{% endmacro %}

{# One monitor: its name, then its keys, each by itself and beside the others. #}
{% macro check_monitor(problems, name, block, defaults) %}
    {%- set where = "mlmon_monitors." ~ name -%}
    {%- do mlmon.check_name(problems, where, name, "monitor", "; not 'all'") -%}
    {%- if block is not mapping -%}
        {%- do mlmon.add_problem(
            problems, where, mlmon.shown(block), "a block of keys", "start with `task:` and `predictions:`"
        ) -%}
    {%- else -%}
        {%- set given = mlmon.with_defaults(block, defaults) -%}
        {%- set keys = mlmon.monitor_keys() -%}
        {%- set found = [] -%}
        {%- do mlmon.check_block(found, where, given, keys, block) -%}
        {%- for key, spec in keys.items() if spec.of_labels and block.get(key) and given.get('labels') is none -%}
            {%- do mlmon.add_problem(
                found, where ~ "." ~ key, key ~ " without a label log", key ~ " beside labels",
                "name the label log under `labels`, or remove it"
            ) -%}
        {%- endfor -%}
        {%- do mlmon.check_rules(found, where, given, block) -%}
        {%- for problem in found -%}
            {#- A mistake in the defaults is told once, where it was made. -#}
            {%- set key = modules.re.split('[.:]', problem[where | length + 1:], 1)[0] -%}
            {%- if key in defaults and key not in block -%}
                {%- set problem = "mlmon_defaults" ~ problem[where | length:] -%}
            {%- endif -%}
            {%- if problem not in problems -%}{%- do problems.append(problem) -%}{%- endif -%}
        {%- endfor -%}
    {%- endif -%}
{% endmacro %}

{#
    A block against the dictionary of its keys. Of a monitor `given` has the defaults, and `block` is what stands in it
    alone: defaults may have a key with `of_block` for monitors of another task.
#}
{% macro check_block(problems, where, given, keys, block=none) %}
    {%- do mlmon.check_keys(problems, where, given, keys) -%}
    {%- for key, spec in keys.items()
        if given.get(key) is not none or spec.required or key in given and spec.nothing is false -%}
        {%- set here = where ~ "." ~ key -%}
        {%- set task = mlmon.other_task(given, spec.tasks) if spec.tasks and (given[key] != [] or spec.default != []) else none -%}
        {%- if task and (key in block or not spec.of_block) -%}
            {%- do mlmon.add_problem(
                problems, here, spec.called ~ " on a " ~ task ~ " monitor", spec.tasks | join(", ") ~ " monitors only",
                (spec.instead or {}).get(task, "remove it")
            ) -%}
        {%- else -%}
            {%- do mlmon.check_value(problems, here, given.get(key), spec) -%}
        {%- endif -%}
    {%- endfor -%}
{% endmacro %}

{# Every key of a mapping must be one of the allowed. #}
{% macro check_keys(problems, where, given, allowed) %}
    {%- for key in given if key not in allowed -%}
        {%- set near = mlmon.nearest(key, allowed) -%}
        {%- do mlmon.add_problem(
            problems, where ~ "." ~ key, "an unknown key", allowed | join(", "),
            "did you mean " ~ near ~ "?" if near else "remove it"
        ) -%}
    {%- endfor -%}
{% endmacro %}

{# One value against what its key may hold. #}
{% macro check_value(problems, where, value, spec) %}
    {%- set kind = spec['is'] -%}
    {%- if kind == 'choice' -%}
        {%- do mlmon.check_choice(problems, where, value, spec.allowed) -%}
    {%- elif kind == 'number' -%}
        {%- do mlmon.check_number(problems, where, value, spec.least, spec.most, spec.whole or false) -%}
    {%- elif kind == 'share' -%}
        {%- if value is not number or value is boolean or not 0 < value < 1 -%}
            {%- do mlmon.add_problem(problems, where, mlmon.shown(value), spec.form, spec.write) -%}
        {%- endif -%}
    {%- elif kind == 'flag' -%}
        {%- if value is not boolean -%}
            {%- do mlmon.add_problem(
                problems, where, mlmon.shown(value), "true or false", "write true or false, without quotes"
            ) -%}
        {%- endif -%}
    {%- elif kind == 'text' -%}
        {%- if value is not string or not value | trim -%}
            {%- do mlmon.add_problem(
                problems, where, mlmon.shown(value), "a text", "write a text, or remove the key"
            ) -%}
        {%- endif -%}
    {%- elif kind == 'values' -%}
        {%- do mlmon.check_values(problems, where, value, spec.write) -%}
    {%- elif kind == 'date' -%}
        {%- do mlmon.check_date(problems, where, value) -%}
    {%- elif kind == 'time' -%}
        {%- do mlmon.check_time(problems, where, value) -%}
    {%- elif kind == 'timezone' -%}
        {%- do mlmon.check_timezone(problems, where, value) -%}
    {%- elif kind == 'relation' -%}
        {%- do mlmon.check_relation(problems, where, value) -%}
    {%- elif kind == 'expression' -%}
        {%- do mlmon.check_expression(problems, where, value) -%}
    {%- elif kind == 'list' -%}
        {%- if not mlmon.is_list(value) or spec.filled and not value -%}
            {%- do mlmon.add_problem(problems, where, mlmon.shown(value), spec.form, spec.write) -%}
        {%- else -%}
            {%- for item in value -%}{%- do mlmon.check_value(problems, where, item, spec.of) -%}{%- endfor -%}
        {%- endif -%}
    {%- elif kind == 'block' and not (spec.or_flag and value is boolean) -%}
        {%- if value is not mapping -%}
            {%- do mlmon.add_problem(problems, where, mlmon.shown(value), spec.form, spec.write) -%}
        {%- else -%}
            {%- do mlmon.check_block(problems, where, value, spec['keys']) -%}
            {%- if spec.ordered -%}
                {%- do mlmon.check_order(
                    problems, where, value.get('warning', spec['keys'].warning.default),
                    value.get('critical', spec['keys'].critical.default), "raise critical or lower warning"
                ) -%}
            {%- endif -%}
        {%- endif -%}
    {%- endif -%}
{% endmacro %}

{# A warning comes before what is critical. #}
{% macro check_order(problems, where, warning, critical, fix) %}
    {%- if warning is number and critical is number and warning > critical -%}
        {%- do mlmon.add_problem(
            problems, where, "warning " ~ warning ~ " above critical " ~ critical, "warning at or below critical", fix
        ) -%}
    {%- endif -%}
{% endmacro %}

{# The name of a monitor or KPI, which stands in names of tables and series. #}
{% macro check_name(problems, where, name, what, but="") %}
    {%- if name is not string or not modules.re.fullmatch('[a-z][a-z0-9_]{0,62}', name)
        or but and name in mlmon.reserved_names() -%}
        {%- do mlmon.add_problem(
            problems, where, "the name " ~ mlmon.shown(name),
            "a lowercase letter, then up to 62 lowercase letters, digits and _" ~ but, "rename the " ~ what
        ) -%}
    {%- endif -%}
{% endmacro %}

{# A value must be one of a list of words. #}
{% macro check_choice(problems, where, value, allowed, else_fix="write one of them") %}
    {%- if value not in allowed -%}
        {%- set near = mlmon.nearest(value, allowed) if value is string else none -%}
        {%- do mlmon.add_problem(
            problems, where, mlmon.shown(value), allowed | join(", "),
            "did you mean " ~ near ~ "?" if near else else_fix
        ) -%}
    {%- endif -%}
{% endmacro %}

{# A value must be a whole number (or any finite number) between `least` and `most`. #}
{% macro check_number(problems, where, value, least=none, most=none, whole=true) %}
    {%- set is_number = (value is integer or (not whole and value is float and value == value))
        and value | abs <= (9007199254740992 if whole else 1.7e308) -%}
    {%- if not is_number or least is number and value < least or most is number and value > most -%}
        {%- set bounds = [] -%}
        {%- if least is number -%}{%- do bounds.append("at least " ~ least) -%}{%- endif -%}
        {%- if most is number -%}{%- do bounds.append("at most " ~ most) -%}{%- endif -%}
        {%- do mlmon.add_problem(
            problems, where, mlmon.shown(value),
            ("a whole number" if whole else "a number") ~ (" of " ~ bounds | join(" and ") if bounds else ""),
            "write it without quotes, as 10, 0.1 or 1.0e-4" if value is string else "correct the number"
        ) -%}
    {%- endif -%}
{% endmacro %}

{# A list must have values, each a text, number or boolean. #}
{% macro check_values(problems, where, given, example) %}
    {%- if not mlmon.is_list(given) or not given
        or given | select('none') | list or given | select('mapping') | list -%}
        {%- do mlmon.add_problem(
            problems, where, mlmon.shown(given), "a list of one or more values",
            "write a list like " ~ example
        ) -%}
    {%- else -%}
        {%- set texts = mlmon.value_texts(given) -%}
        {%- for value in texts if value in mlmon.reserved_names() -%}
            {%- do mlmon.add_problem(
                problems, where, "the reserved name " ~ mlmon.shown(value),
                "any value but " ~ mlmon.reserved_names() | join(", "), "remove it"
            ) -%}
        {%- endfor -%}
        {%- if texts | unique(case_sensitive=true) | list | length < texts | length -%}
            {%- do mlmon.add_problem(
                problems, where, "a repeated value in " ~ mlmon.shown(given),
                "each value once", "remove the repeat"
            ) -%}
        {%- endif -%}
    {%- endif -%}
{% endmacro %}

{# A date of the calendar, as YAML's own date or as a text. #}
{% macro check_date(problems, where, value) %}
    {%- set parts = modules.re.fullmatch('([0-9]{4})-([0-9]{2})-([0-9]{2})', value | string) -%}
    {%- set year, month, day = (
        (parts[1] | int, parts[2] | int, parts[3] | int) if parts else (0, 0, 0)
    ) -%}
    {%- set is_leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) -%}
    {%- set lengths = [31, 29 if is_leap else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] -%}
    {%- if year < 1 or month not in range(1, 13) or day not in range(1, lengths[month - 1] + 1) -%}
        {%- do mlmon.add_problem(
            problems, where, mlmon.shown(value), "a date like 2026-01-31",
            "write a day of the calendar as year-month-day"
        ) -%}
    {%- endif -%}
{% endmacro %}

{# A time: a date, or a date and a time of day. #}
{% macro check_time(problems, where, value) %}
    {%- set text = value | string -%}
    {%- set found = [] -%}
    {%- do mlmon.check_date(found, where, text[:10]) -%}
    {%- if found or not modules.re.fullmatch(
        '.{10}([ T]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.][0-9]{1,6})?)?)?', text
    ) -%}
        {%- do mlmon.add_problem(
            problems, where, mlmon.shown(value), "a time in UTC like 2026-01-31 or 2026-01-31 18:30:00",
            "write a day of the calendar as year-month-day, and after it hours and minutes"
        ) -%}
    {%- endif -%}
{% endmacro %}

{% macro check_timezone(problems, where, value) %}
    {%- if value != 'UTC' and (value not in modules.pytz.all_timezones or '/' not in value) -%}
        {%- set near = mlmon.nearest(value, modules.pytz.common_timezones) if value is string -%}
        {%- do mlmon.add_problem(
            problems, where, mlmon.shown(value), "UTC or an IANA name like America/New_York",
            "did you mean " ~ near ~ "?" if near else "write the Area/City name"
        ) -%}
    {%- endif -%}
{% endmacro %}

{# A relation: {source: [source, table]}, {ref: model} or {ref: [project, model]}. #}
{% macro check_relation(problems, where, given) %}
    {%- set form = "{source: [source, table]}, {ref: model} or {ref: [project, model]}" -%}
    {%- if mlmon.is_relation(given) -%}
    {%- elif given is not mapping -%}
        {%- do mlmon.add_problem(
            problems, where, mlmon.shown(given), form,
            "declare the table as a source or a model and name it here"
        ) -%}
    {%- elif given | length != 1 or (given.keys() | first) not in ('source', 'ref') -%}
        {%- do mlmon.add_problem(
            problems, where, "the keys " ~ given.keys() | join(", ") if given else "no keys", form,
            "keep one of source and ref"
        ) -%}
    {%- else -%}
        {%- set key = given.keys() | first -%}
        {%- do mlmon.add_problem(
            problems, where ~ "." ~ key, mlmon.shown(given[key]),
            "[source, table]" if key == 'source' else "model or [project, model]",
            "give the name of the source and of its table" if key == 'source'
            else "give the name of the model"
        ) -%}
    {%- endif -%}
{% endmacro %}

{# {source: [source, table]}, {ref: model} or {ref: [project, model]}. #}
{% macro is_relation(given) %}
    {%- if given is not mapping or given | length != 1 -%}{{- return(false) -}}{%- endif -%}
    {%- if given.get('ref') and given['ref'] is string -%}{{- return(true) -}}{%- endif -%}
    {%- set names = given.get('source') or given.get('ref') -%}
    {{- return(
        mlmon.is_list(names) and not names | reject('string') | list
        and names | length in ((2,) if 'source' in given else (1, 2))
    ) -}}
{% endmacro %}

{# One expression of SQL: whatever could end it, or begin another statement, is told here and not by the warehouse. #}
{% macro check_expression(problems, where, expression) %}
    {%- if expression is not string or not expression | trim -%}
        {%- do mlmon.add_problem(
            problems, where, mlmon.shown(expression), "SQL over the names of the log, as a text",
            "write it in quotes, such as \"case when prediction = 1 then amount else 0 end\""
        ) -%}
    {%- else -%}
        {%- set code = mlmon.without_texts(expression) -%}
        {%- set depth = namespace(now=0, least=0) -%}
        {%- for letter in code if letter in '()' -%}
            {%- set depth.now = depth.now + (1 if letter == '(' else -1) -%}
            {%- set depth.least = [depth.least, depth.now] | min -%}
        {%- endfor -%}
        {%- set open = code | replace("''", "") -%}
        {%- if depth.now != 0 or depth.least < 0 or "'" in open -%}
            {%- do mlmon.add_problem(
                problems, where, mlmon.shown(expression), "parentheses and quotes in pairs",
                "add or remove one"
            ) -%}
        {%- elif ';' in code or '--' in code or '/*' in code or '*/' in code -%}
            {%- do mlmon.add_problem(
                problems, where, mlmon.shown(expression), "one expression without ; and comments",
                "remove them; words go to `description`"
            ) -%}
        {%- endif -%}
    {%- endif -%}
{% endmacro %}

{# What is said of a monitor whose task does not have a key; none where it does or where its task is no task. #}
{% macro other_task(given, tasks) %}
    {%- set task = given.get('task') -%}
    {{- return(task if task in mlmon.tasks() and task not in tasks else none) -}}
{% endmacro %}

{# A list as YAML has it: neither a text nor a mapping. #}
{% macro is_list(value) %}
    {{- return(value is sequence and value is not string and value is not mapping) -}}
{% endmacro %}
