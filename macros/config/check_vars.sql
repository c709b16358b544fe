{# The variables beside the monitors and their defaults. #}
{% macro check_vars(problems) %}
    {%- do mlmon.check_number(problems, "mlmon_lookback_days", var('mlmon_lookback_days'), least=0, most=36600) -%}
    {%- do mlmon.check_number(problems, "mlmon_max_gap_days", var('mlmon_max_gap_days'), least=1, most=36600) -%}
    {%- do mlmon.check_number(problems, "mlmon_profile_rows", var('mlmon_profile_rows'), least=1) -%}
    {%- do mlmon.check_number(
        problems, "mlmon_exact_ks_pairs", var('mlmon_exact_ks_pairs'), least=0
    ) -%}
    {%- do mlmon.check_flag(problems, "mlmon_python_models", var('mlmon_python_models')) -%}
    {%- do mlmon.check_date(problems, "mlmon_min_event_at", var('mlmon_min_event_at')) -%}
    {%- if var('mlmon_as_of') -%}
        {%- do mlmon.check_time(problems, "mlmon_as_of", var('mlmon_as_of')) -%}
    {%- endif -%}
    {%- do mlmon.check_seeds(problems, var('mlmon_seeds', {}) or {}) -%}
    {%- do mlmon.check_all_limits(
        problems, "mlmon_quality_limits", var('mlmon_quality_limits', {}) or {},
        mlmon.default_quality_limits()
    ) -%}
    {%- do mlmon.check_all_limits(
        problems, "mlmon_gate_limits", var('mlmon_gate_limits', {}) or {},
        mlmon.default_gate_limits()
    ) -%}
{% endmacro %}

{% macro check_seeds(problems, given) %}
    {%- set allowed = mlmon.replaceable_seeds() -%}
    {%- if given is not mapping -%}
        {%- do mlmon.add_problem(
            problems, "mlmon_seeds", mlmon.shown(given), allowed | join(", ") ~ ", each a relation",
            "write `mlmon_seeds: {alert_rules: {ref: my_rules}}`"
        ) -%}
    {%- else -%}
        {%- do mlmon.check_keys(problems, "mlmon_seeds", given, allowed) -%}
        {%- for seed, relation in given.items() if seed in allowed -%}
            {%- do mlmon.check_relation(problems, "mlmon_seeds." ~ seed, relation) -%}
        {%- endfor -%}
    {%- endif -%}
{% endmacro %}

{# Limits by check; `allowed` has the default ones of every check there is. #}
{% macro check_all_limits(problems, where, given, allowed) %}
    {%- if given is not mapping -%}
        {%- do mlmon.add_problem(
            problems, where, mlmon.shown(given), allowed | join(", "),
            "write `" ~ where ~ ": {missing: {warning: 0.1}}`"
        ) -%}
    {%- else -%}
        {%- do mlmon.check_keys(problems, where, given, allowed.keys() | list) -%}
        {%- for check, limits in given.items() if check in allowed -%}
            {%- do mlmon.check_limits(problems, where ~ "." ~ check, limits, allowed[check]) -%}
        {%- endfor -%}
    {%- endif -%}
{% endmacro %}

{% macro check_limits(problems, where, given, defaults) %}
    {%- if given is not mapping -%}
        {%- do mlmon.add_problem(
            problems, where, mlmon.shown(given), "{warning: number, critical: number}",
            "write both limits or one of them"
        ) -%}
    {%- else -%}
        {%- do mlmon.check_keys(problems, where, given, ['warning', 'critical']) -%}
        {%- for level, value in given.items() if level in ('warning', 'critical') -%}
            {%- do mlmon.check_number(problems, where ~ "." ~ level, value, least=0, whole=false) -%}
        {%- endfor -%}
        {%- set merged = dict(defaults) -%}
        {%- do merged.update(given) -%}
        {%- if merged.warning is number and merged.critical is number
            and merged.warning > merged.critical -%}
            {%- do mlmon.add_problem(
                problems, where, "warning " ~ merged.warning ~ " above critical " ~ merged.critical,
                "warning at or below critical", "raise critical or lower warning"
            ) -%}
        {%- endif -%}
    {%- endif -%}
{% endmacro %}
