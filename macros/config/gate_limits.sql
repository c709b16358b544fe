{#
    From where a check of the gate warns and where it is critical, as shares of the rows checked: the defaults below,
    those that the quality checks have as well as these have them, all overridden by the var mlmon_gate_limits.
#}
{% macro gate_limits() %}
    {%- set limits = mlmon.default_gate_limits() -%}
    {%- set of_quality = mlmon.quality_limits() -%}
    {%- for check in limits if check in mlmon.limits_shared_with_gate() -%}
        {%- do limits[check].update(of_quality[check]) -%}
    {%- endfor -%}
    {%- set declared = var('mlmon_gate_limits', {}) or {} -%}
    {%- if declared is not mapping or declared.keys() | reject('in', limits) | list
        or declared.values() | reject('mapping') | list -%}
        {%- do mlmon.check_configuration() -%}
    {%- endif -%}
    {%- for check, given in declared.items() -%}
        {%- do limits[check].update(given) -%}
    {%- endfor -%}
    {{- return(limits) -}}
{% endmacro %}

{#
      identity            rows without a request_id, a time or a label
      unreadable          values that are no number or no time: text, NaN, infinity
      implausible_time    times before mlmon_min_event_at, or more than a day after the row was loaded
      far_from_reference  numbers further outside the reference's range than half of that range
      the others          as for the quality checks
#}
{% macro default_gate_limits() %}
    {%- set of_quality = mlmon.default_quality_limits() -%}
    {%- set limits = {
        'identity': {'warning': 0.0, 'critical': 0.01},
        'unreadable': {'warning': 0.0, 'critical': 0.01},
        'implausible_time': {'warning': 0.0, 'critical': 0.01},
        'far_from_reference': {'warning': 0.01, 'critical': 0.5},
    } -%}
    {%- for check in mlmon.limits_shared_with_gate() -%}
        {%- do limits.update({check: dict(of_quality[check])}) -%}
    {%- endfor -%}
    {{- return(limits) -}}
{% endmacro %}

{% macro limits_shared_with_gate() %}
    {{- return([
        'missing', 'out_of_range', 'score_range', 'score_sum', 'unseen_category', 'duplicates', 'clock_skew',
    ]) -}}
{% endmacro %}
