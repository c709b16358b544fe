{#
    From where a quality check warns and where it is critical: the defaults below, overridden limit by limit by
    the var mlmon_quality_limits.
#}
{% macro quality_limits() %}
    {%- set limits = mlmon.default_quality_limits() -%}
    {%- set declared = var('mlmon_quality_limits', {}) or {} -%}
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
      missing          rise of the missing share over the reference's
      out_of_range     share of rows outside the declared range
      unseen_category  share of rows whose category the reference does not know
      duplicates       log rows beyond the first of their request, over all log rows
      label_conflicts  labelled predictions with two or more different labels
      freshness        rise of the late share over what is usual
      volume           robust z against the same weekday (and hour) of the four weeks before
#}
{% macro default_quality_limits() %}
    {{- return({
        'missing': {'warning': 0.05, 'critical': 0.2},
        'out_of_range': {'warning': 0.0, 'critical': 0.01},
        'unseen_category': {'warning': 0.01, 'critical': 0.05},
        'duplicates': {'warning': 0.01, 'critical': 0.1},
        'label_conflicts': {'warning': 0.01, 'critical': 0.05},
        'freshness': {'warning': 0.05, 'critical': 0.2},
        'volume': {'warning': 3.5, 'critical': 6},
    }) -}}
{% endmacro %}
