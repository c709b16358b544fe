{#
    Raises one error with everything that is wrong in the configuration, as far as YAML alone can tell. What only
    the relations can tell is checked in staging (check_columns).
#}
{% macro check_configuration() %}
    {%- set problems = [] -%}
    {%- set declared = var('mlmon_monitors', {}) -%}
    {%- set defaults = var('mlmon_defaults', {}) -%}
    {%- do mlmon.check_vars(problems) -%}
    {%- if declared is not mapping -%}
        {%- do mlmon.add_problem(
            problems, "mlmon_monitors", mlmon.shown(declared), "one block a monitor, by its name",
            "write `mlmon_monitors: {my_model: {task: binary, ...}}`"
        ) -%}
    {%- elif defaults is not mapping -%}
        {%- do mlmon.add_problem(
            problems, "mlmon_defaults", mlmon.shown(defaults), "keys of a monitor",
            "write `mlmon_defaults: {spans: [1d, 7d]}`"
        ) -%}
    {%- else -%}
        {%- do mlmon.check_keys(problems, "mlmon_defaults", defaults, mlmon.monitor_keys()) -%}
        {%- for name, block in declared.items() -%}
            {%- set where = "mlmon_monitors." ~ name -%}
            {%- if not modules.re.match('^[a-z][a-z0-9_]{0,62}$', name | string)
                or name in mlmon.reserved_names() -%}
                {%- do mlmon.add_problem(
                    problems, where, "the name " ~ mlmon.shown(name),
                    "a lowercase letter, then up to 62 lowercase letters, digits and _; not 'all'",
                    "rename the monitor"
                ) -%}
            {%- endif -%}
            {%- if block is not mapping -%}
                {%- do mlmon.add_problem(
                    problems, where, mlmon.shown(block), "a block of keys",
                    "start with `task:` and `predictions:`"
                ) -%}
            {%- else -%}
                {%- do mlmon.check_monitor(problems, where, dict(defaults, **block)) -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
    {%- if problems -%}
        {%- do exceptions.raise_compiler_error(
            "mlmon found " ~ problems | length ~ " problem"
            ~ ("s" if problems | length > 1 else "") ~ " in its configuration:\n  "
            ~ problems | join("\n  ")
        ) -%}
    {%- endif -%}
{% endmacro %}

{# The scalars and mappings beside the monitors. #}
{% macro check_vars(problems) %}
    {%- do mlmon.check_number(problems, "mlmon_lookback_days", var('mlmon_lookback_days'), 0) -%}
    {%- do mlmon.check_number(problems, "mlmon_max_gap_days", var('mlmon_max_gap_days'), 1) -%}
    {%- do mlmon.check_date(problems, "mlmon_min_event_at", var('mlmon_min_event_at')) -%}
    {%- set seeds = var('mlmon_seeds', {}) -%}
    {%- set replaceable = [
        'alert_rules', 'drift_thresholds', 'degradation_thresholds', 'baseline_metrics', 'runbooks',
    ] -%}
    {%- do mlmon.check_keys(problems, "mlmon_seeds", seeds, replaceable) -%}
    {%- for seed, relation in seeds.items() if seed in replaceable -%}
        {%- do mlmon.check_relation(problems, "mlmon_seeds." ~ seed, relation) -%}
    {%- endfor -%}
    {%- set checks = [
        'missing', 'out_of_range', 'unseen_category', 'duplicates', 'label_conflicts', 'freshness',
        'volume',
    ] -%}
    {%- set limits = var('mlmon_quality_limits', {}) -%}
    {%- do mlmon.check_keys(problems, "mlmon_quality_limits", limits, checks) -%}
    {%- for check, given in limits.items() if check in checks -%}
        {%- set where = "mlmon_quality_limits." ~ check -%}
        {%- if given is not mapping -%}
            {%- do mlmon.add_problem(
                problems, where, mlmon.shown(given), "{warning: number, critical: number}",
                "write both limits or one of them"
            ) -%}
        {%- else -%}
            {%- do mlmon.check_keys(problems, where, given, ['warning', 'critical']) -%}
            {%- for level, value in given.items() if level in ('warning', 'critical') -%}
                {%- do mlmon.check_number(problems, where ~ "." ~ level, value, 0, whole=false) -%}
            {%- endfor -%}
        {%- endif -%}
    {%- endfor -%}
{% endmacro %}

{% macro check_date(problems, where, value) %}
    {%- if not modules.re.match(
        '^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$', value | string
    ) -%}
        {%- do mlmon.add_problem(
            problems, where, mlmon.shown(value), "a date like 2026-01-31", "write year-month-day"
        ) -%}
    {%- endif -%}
{% endmacro %}
