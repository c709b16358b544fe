{#
    Whether a generic test asks for what the configuration has. A test sits in the consumer's project and sees its vars
    alone: where it sees no monitors, the tables tell at run time (unknown_monitor).
#}
{% macro check_test_monitor(problems, where, monitor) %}
    {%- set declared = var('mlmon_monitors', {}) or {} -%}
    {%- if monitor is not string -%}
        {%- do mlmon.add_problem(
            problems, where ~ ".monitor", mlmon.shown(monitor), "the name of a monitor", "name one"
        ) -%}
    {%- elif declared is mapping and declared -%}
        {%- do mlmon.check_choice(problems, where ~ ".monitor", monitor, declared | sort) -%}
    {%- endif -%}
{% endmacro %}

{# The block of a monitor with the defaults under it, none where the test does not see one that can be read. #}
{% macro monitor_of_test(monitor) %}
    {%- set declared = var('mlmon_monitors', {}) or {} -%}
    {%- set defaults = var('mlmon_defaults', {}) or {} -%}
    {%- if declared is not mapping or defaults is not mapping or monitor not in declared -%}{{- return(none) -}}{%- endif -%}
    {%- set problems = [] -%}
    {%- do mlmon.check_monitor(problems, monitor, declared[monitor], defaults) -%}
    {{- return(none if problems else mlmon.with_defaults(declared[monitor], defaults)) -}}
{% endmacro %}

{# The arguments that several tests have, each as it is given. #}
{% macro check_test_arguments(problems, where, model_version=none, span_windows=none, fail_when_unknown=false) %}
    {%- if model_version is not none and model_version is mapping -%}
        {%- do mlmon.add_problem(
            problems, where ~ ".model_version", mlmon.shown(model_version), "one version",
            "write the version as a text"
        ) -%}
    {%- endif -%}
    {%- if span_windows is not none -%}
        {%- do mlmon.check_number(problems, where ~ ".span_windows", span_windows, least=1) -%}
    {%- endif -%}
    {%- do mlmon.check_value(problems, where ~ ".fail_when_unknown", fail_when_unknown, {'is': 'flag'}) -%}
{% endmacro %}

{% macro raise_test_problems(problems) %}
    {%- if problems -%}{%- do mlmon.raise_problems("cannot run a test", problems) -%}{%- endif -%}
{% endmacro %}

{# Which versions a test looks at: the one that serves, or the one named ('all': all together). #}
{% macro is_tested_version(model_version) %}
    {%- if model_version is none -%}{{- return("is_current_version") -}}{%- endif -%}
    {{- return("model_version = " ~ mlmon.text_literal(mlmon.value_text(model_version))) -}}
{% endmacro %}

{# A text or a list of texts as a list. #}
{% macro as_list(given) %}
    {%- if given is none -%}{{- return([]) -}}{%- endif -%}
    {{- return([given] if given is string else given) -}}
{% endmacro %}

{#
    The row that a test ends with where it could not look: the monitor is unknown to the tables or, where that
    counts as a failure, there was nothing to judge. `found` is the relation of what was judged.
#}
{% macro nothing_to_judge(monitor, found, fail_when_unknown, about) %}
    {%- set text = dbt.type_string() -%}
    {%- set name = mlmon.text_literal(monitor) %}
select
    cast({{ name }} as {{ text }}) as monitor,
    cast(null as {{ text }}) as model_version,
    cast(null as timestamp) as window_end,
    cast({{ mlmon.text_literal(about) }} as {{ text }}) as about,
    cast('unknown' as {{ text }}) as status,
    cast(null as {{ mlmon.type_double() }}) as value,
    cast(null as {{ mlmon.type_double() }}) as threshold,
    case
        when not exists (
            select 1 from {{ ref('mlmon', 'dim_mlmon__monitors') }}
            where monitor = {{ name }}
        ) then 'There is no monitor of this name in dim_mlmon__monitors.'
        else 'There is nothing to judge yet.'
    end as reason
from (select 1 as one) as always
where
    not exists (
        select 1 from {{ ref('mlmon', 'dim_mlmon__monitors') }}
        where monitor = {{ name }}
    )
    {%- if fail_when_unknown %}
    or not exists (select 1 from {{ found }})
    {%- endif %}
{% endmacro %}
