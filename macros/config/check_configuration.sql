{#
    Raises one error with everything that is wrong in the configuration, as far as YAML alone can tell. What only
    the relations can tell is checked in staging (check_columns).
#}
{% macro check_configuration() %}
    {%- set problems = [] -%}
    {%- set declared = var('mlmon_monitors', {}) or {} -%}
    {%- set defaults = var('mlmon_defaults', {}) or {} -%}
    {%- do mlmon.check_vars(problems) -%}
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
            {%- do mlmon.check_block(problems, name, block, defaults) -%}
        {%- endfor -%}
    {%- else -%}
        {%- do mlmon.add_problem(
            problems, "mlmon_monitors", mlmon.shown(declared), "one block a monitor, under its name",
            "write `mlmon_monitors: {my_model: {task: binary, ...}}`"
        ) -%}
    {%- endif -%}
    {%- if problems -%}
        {%- do mlmon.raise_problems("cannot use its configuration", problems) -%}
    {%- endif -%}
{% endmacro %}

{# One monitor: its name, then its keys. #}
{% macro check_block(problems, name, block, defaults) %}
    {%- set where = "mlmon_monitors." ~ name -%}
    {%- if name is not string or not modules.re.fullmatch('[a-z][a-z0-9_]{0,62}', name)
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
        {%- set found = [] -%}
        {%- do mlmon.check_monitor(found, where, mlmon.with_defaults(block, defaults), block) -%}
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
