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

{# What each limit is held against is in docs/quality.md. #}
{% macro default_quality_limits() %}
    {{- return({
        'missing': {'warning': 0.05, 'critical': 0.2},
        'not_finite': {'warning': 0.01, 'critical': 0.05},
        'unparsable': {'warning': 0.01, 'critical': 0.05},
        'out_of_range': {'warning': 0.0, 'critical': 0.01},
        'score_range': {'warning': 0.0, 'critical': 0.01},
        'score_sum': {'warning': 0.0, 'critical': 0.01},
        'reference_range': {'warning': 0.02, 'critical': 0.9},
        'outliers': {'warning': 0.1, 'critical': 0.9},
        'unseen_category': {'warning': 0.01, 'critical': 0.05},
        'lookalike_category': {'warning': 0.0, 'critical': 0.05},
        'constant': {'warning': 0.3, 'critical': 0.5},
        'duplicates': {'warning': 0.01, 'critical': 0.1},
        'label_conflicts': {'warning': 0.01, 'critical': 0.05},
        'early_labels': {'warning': 0.01, 'critical': 0.1},
        'orphan_labels': {'warning': 0.05, 'critical': 0.3},
        'future_timestamps': {'warning': 0.0, 'critical': 0.05},
        'ancient_timestamps': {'warning': 0.0, 'critical': 0.05},
        'unusable_rows': {'warning': 0.0, 'critical': 0.05},
        'clock_skew': {'warning': 0.01, 'critical': 0.5},
        'freshness': {'warning': 0.05, 'critical': 0.2},
        'feed_lag': {'warning': 0.25, 'critical': 0.5},
        'volume': {'warning': 3.5, 'critical': 6},
    }) -}}
{% endmacro %}

{#
    The checks of a monitored column by their shares: what they count, the share of the reference and what is allowed before
    the limits (both NULL where there is nothing to compare with), which columns have them, and the range that they hold
    values against.
#}
{% macro column_check_rules() %}
    {%- set numeric = "column_kind = 'numeric'" -%}
    {%- set categorical = "column_kind = 'categorical'" -%}
    {%- set none_in_reference = "case when n_reference is not null then 0.0 end" -%}
    {{- return({
        'missing': mlmon.column_check_rule('completeness', 'n_missing', ['missing'], 'n_missing is not null'),
        'not_finite': mlmon.column_check_rule(
            'validity', 'n_nan + n_infinite', ['nan', 'infinite'], numeric ~ " and n_nan is not null", absent=0
        ),
        'unparsable': mlmon.column_check_rule(
            'validity', 'n_unparsable', ['unparsable'], numeric ~ " and n_unparsable is not null", absent=0
        ),
        'out_of_range': mlmon.column_check_rule(
            'validity', 'n_out_of_range', [],
            "column_role = 'feature' and (declared_min is not null or declared_max is not null)",
            absent='0.0', range=['declared_min', 'declared_max']
        ),
        'score_range': mlmon.column_check_rule(
            'validity', 'n_out_of_range', ['out_of_range'],
            "column_role = 'score' and n_out_of_range is not null", absent=0,
            range=['declared_min', 'declared_max'], most=mlmon.other_kind_share()
        ),
        'score_sum': mlmon.column_check_rule(
            'validity', 'n_wrong_sums', ['wrong_sums'], 'n_wrong_sums is not null', absent=0,
            range=['declared_min', 'declared_max'], most=mlmon.other_kind_share()
        ),
        'unseen_category': mlmon.column_check_rule(
            'validity', 'n_unseen', [], categorical, absent=none_in_reference
        ),
        'lookalike_category': mlmon.column_check_rule(
            'consistency', 'n_lookalikes', [], categorical, absent=none_in_reference
        ),
    }) -}}
{% endmacro %}

{# The same of the checks that are held against what is usual for the log as well. #}
{% macro range_check_rules() %}
    {{- return({
        'reference_range': mlmon.column_check_rule(
            'validity', 'n_beyond_reference', ['beyond_reference'],
            "column_kind = 'numeric' and outer_low is not null", range=['outer_low', 'outer_high']
        ),
        'outliers': mlmon.column_check_rule(
            'validity', 'n_outliers', ['outliers'],
            "column_kind = 'numeric' and inner_low is not null", range=['inner_low', 'inner_high']
        ),
    }) -}}
{% endmacro %}

{#
    Above that share of the reference outside a score's range its scores are of another kind (margins, one class against the
    rest), for the checks and for the gate.
#}
{% macro other_kind_share() %}{{- return(0.1) -}}{% endmacro %}

{#
    `shares`: which shares of the reference are the check's; `absent`: what is allowed where it has none; `most`: above
    that share of the reference all are allowed.
#}
{% macro column_check_rule(group, failed, shares, where, absent=none, range=none, most=none) %}
    {%- set sums = {} -%}
    {%- for kind in ['share', 'high'] -%}
        {%- set terms = [] -%}
        {%- for share in shares -%}{%- do terms.append("reference_" ~ share ~ "_" ~ kind) -%}{%- endfor -%}
        {%- set sum = terms | join(" + ") -%}
        {%- do sums.update({
            kind: absent if not sum else sum if absent is none else "coalesce(" ~ sum ~ ", " ~ absent ~ ")",
        }) -%}
    {%- endfor -%}
    {{- return({
        'group': group, 'failed': failed, 'reference': sums['share'],
        'allowed': sums['high'] if most is none
            else "case when " ~ sums['share'] ~ " > " ~ most ~ " then 1.0 else " ~ sums['high'] ~ " end",
        'where': where, 'range': range or ['null', 'null'],
    }) -}}
{% endmacro %}

{# The checks whose warning limit is passed, not reached, and that leave no room for chance: not one row may fail. #}
{% macro strict_checks() %}{{- return(['out_of_range', 'score_range', 'score_sum']) -}}{% endmacro %}

{# A range in words; NULL where neither end is known. #}
{% macro range_text(low, high) %}
    case
        when {{ low }} is null then 'up to ' || {{ mlmon.example_number(high) }}
        when {{ high }} is null then 'from ' || {{ mlmon.example_number(low) }}
        else
            {{ mlmon.example_number(low) }}
            || ' to ' || {{ mlmon.example_number(high) }}
    end
{%- endmacro %}
