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
        'reference_range': {'warning': 0.02, 'critical': 0.2},
        'outliers': {'warning': 0.1, 'critical': 0.5},
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
    The checks of a monitored column: what they count, the share that is allowed (NULL: nothing to compare with), which
    columns have them, and what the range is that they hold values against.
#}
{% macro column_check_rules() %}
    {%- set numeric = "column_kind = 'numeric'" -%}
    {{- return({
        'missing': {
            'group': 'completeness', 'failed': 'n_missing', 'allowed': 'reference_missing_share',
            'where': 'true', 'range': none,
        },
        'not_finite': {
            'group': 'validity', 'failed': 'n_nan + n_infinite',
            'allowed': 'coalesce(reference_nan_share + reference_infinite_share, 0)',
            'where': numeric, 'range': none,
        },
        'unparsable': {
            'group': 'validity', 'failed': 'n_unparsable',
            'allowed': 'coalesce(reference_unparsable_share, 0)', 'where': numeric, 'range': none,
        },
        'out_of_range': {
            'group': 'validity', 'failed': 'n_out_of_range', 'allowed': '0.0',
            'where': "column_role = 'feature' and (declared_min is not null or declared_max is not null)",
            'range': ['declared_min', 'declared_max'],
        },
        'score_range': {
            'group': 'validity', 'failed': 'n_out_of_range',
            'allowed': 'coalesce(reference_out_of_range_share, 0)', 'where': "column_role = 'score'",
            'range': ['declared_min', 'declared_max'],
        },
        'reference_range': {
            'group': 'validity', 'failed': 'n_beyond_reference',
            'allowed': 'case when outer_low is not null then reference_beyond_reference_share end',
            'where': numeric, 'range': ['outer_low', 'outer_high'],
        },
        'outliers': {
            'group': 'validity', 'failed': 'n_outliers',
            'allowed': 'case when inner_low is not null then reference_outliers_share end',
            'where': numeric, 'range': ['inner_low', 'inner_high'],
        },
        'unseen_category': {
            'group': 'validity', 'failed': 'n_unseen', 'allowed': 'reference_unseen_share',
            'where': "column_kind = 'categorical'", 'range': none,
        },
        'lookalike_category': {
            'group': 'consistency', 'failed': 'n_lookalikes', 'allowed': 'reference_unseen_share',
            'where': "column_kind = 'categorical'", 'range': none,
        },
    }) -}}
{% endmacro %}

{# The checks whose warning limit is passed, not reached, and that leave no room for chance: not one row may fail. #}
{% macro strict_checks() %}{{- return(['out_of_range', 'score_range']) -}}{% endmacro %}
