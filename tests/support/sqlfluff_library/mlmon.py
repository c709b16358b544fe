"""Stand-ins for the package's macros, so that sqlfluff can render a model without dbt.

A macro that is not named here renders as an expression. Where a model needs a whole query, a list
of columns or a value of another kind, the name is added below: nothing else is to be kept in step.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Stub(str):
    """An expression, any attribute of which is a number."""

    __slots__ = ()

    def __getattr__(self, _: str) -> Stub:
        return Stub("1")


EXPRESSION = Stub("stub_function(stub_argument)")
QUERY = "select stub_column from stub_relation"
RULE = {
    "group": "validity",
    "failed": "stub_column",
    "reference": "stub_column",
    "allowed": "stub_column",
    "where": "true",
    "range": ["stub_column", "stub_column"],
}

# The weights of a ratio of the confusion matrix.
RATIO = {"part": {"tp": 1}, "whole": {"tp": 1, "fn": 1}}

VALUES: dict[str, Any] = {
    # Whole queries.
    "association_methods": QUERY,
    "class_rank_parts": QUERY,
    "class_score_settings": QUERY,
    "class_score_column_settings": QUERY,
    "count_class_scores": QUERY,
    "class_score_examples": QUERY,
    "column_settings": QUERY,
    "chi_square_tails": QUERY,
    "count_columns": QUERY,
    "count_label_bins": QUERY,
    "baseline_kind_settings": QUERY,
    "binary_metrics": QUERY,
    "binned_statistics": QUERY,
    "shares_of_counts": QUERY,
    "compared_shares": QUERY,
    "compared_windows": " " + QUERY,
    "fixed_reference_windows": " " + QUERY,
    "stale_reference_rows": QUERY,
    "stale_predictions": QUERY,
    "reference_windows": QUERY,
    "window_set_sources": QUERY,
    "metrics_of_ends": QUERY,
    "computed_metric_settings": QUERY,
    "cut_off_metric_descriptions": QUERY,
    "class_overlaps": QUERY,
    "cut_off_sums": QUERY,
    "declared_segment_values": QUERY,
    "fairness_settings": QUERY,
    "drift_thresholds": QUERY,
    "estimated_metrics": QUERY,
    "median_error_metric": QUERY,
    "metric_values": QUERY,
    "integers": QUERY,
    "judged_metric_settings": QUERY,
    "kpi_age_settings": QUERY,
    "kpi_settings": QUERY,
    "kpi_sums": " " + QUERY,
    "kpi_values": QUERY,
    "label_age_settings": QUERY,
    "label_log": QUERY,
    "label_settings": QUERY,
    "latest_rows": QUERY,
    "list_sums": QUERY,
    "log_gammas": QUERY,
    "logged_columns": QUERY,
    "median_deviations": QUERY,
    "merged_kpi_sums": QUERY,
    "metric_rows": QUERY,
    "name_kpi_sums": " " + QUERY,
    "monitor_settings": QUERY,
    "multiclass_metrics": QUERY,
    "numbered_label_ages": QUERY,
    "multiclass_parts": QUERY,
    "category_examples": QUERY,
    "number_examples": QUERY,
    "prediction_log": QUERY,
    "ranking_metric_settings": QUERY,
    "named_segments": QUERY,
    "rank_intervals": QUERY,
    "rank_metrics": QUERY,
    "rank_statistics": QUERY,
    "rows_by_segment": QUERY,
    "load_time_examples": QUERY,
    "missing_examples": QUERY,
    "profile_slots": QUERY,
    "reference_log": QUERY,
    "reference_stretches": QUERY,
    "regression_metrics": QUERY,
    "operation_spans": QUERY,
    "schema_columns": QUERY,
    "score_metrics": QUERY,
    "segment_settings": QUERY,
    "span_settings": QUERY,
    "stale_windows": QUERY,
    "value_matrix_settings": QUERY,
    "version_pairs": QUERY,
    "version_references": QUERY,
    "versions": QUERY,
    "window_fingerprints": QUERY,
    # Relations, types and words of the language.
    "drift_tests": "stub_relation",
    "inlined": "",
    "seed_relation": "stub_relation",
    "qualified": "stub_relation.stub_column",
    "same_comparison": "1 = 1",
    "type_double": "double precision",
    # Values that a model's own Jinja reads.
    "additive_metrics": ["mae"],
    "alert_rule_selectors": {"monitor": "*"},
    "all_profile_percents": [1, 50],
    "bucket_hashings": [1, 2],
    "check_configuration": "",
    "evaluated_once": "",
    "cell_sums": ["n"],
    "checked_counts": ["n_missing", "n_wrong_sums"],
    "class_score_count_names": ["n_missing", "n_wrong_sums"],
    "class_score_slots": ["class_score_1"],
    "column_check_rules": {"missing": RULE},
    "common_mean_terms": {"mae": "stub_column"},
    "common_metrics": ["mae"],
    "common_ratios": {"recall": RATIO},
    "binned_methods": {"psi": {"value": "stub_column", "effect": "stub_column"}},
    "confusion_ratios": dict.fromkeys(
        ("recall", "precision", "specificity", "predicted_positive_rate"), RATIO
    ),
    "ratios_regardless_of": ["recall"],
    "score_digits": [3],
    "most_edges": 10,
    "comparison_keys": ["window_key"],
    "cut_off_metrics": ["ndcg"],
    "computes_presets": True,
    "numbered_preset_slots": {1: "numeric_1"},
    "portable_class_scores": ["class_score_1"],
    "preset_slots_of": ["numeric_1"],
    "facts": {"labels": ["stub_relation"]},
    "ends": {"performance": ["stub_relation"]},
    "feature_slot_names": ["numeric_1"],
    "labelled_tasks": ["binary"],
    "label_bin_count": 10,
    "label_edge_count": 10,
    "monitored_slots": ["numeric_1"],
    "numbered_slots": {1: "numeric_1"},
    "numeric_drift_methods": ["ks"],
    "monitors": [],
    "largest_top_k": 10,
    "ranking_monitors": [],
    "numeric_slots_by_edges": {10: {1: "numeric_1"}},
    "failed_counts": ["n_nan"],
    "pair_sums": ["sum_z"],
    "profile_percents": [50],
    "range_check_rules": {"outliers": RULE},
    "portable_slots": ["numeric_1"],
    "slot_counts": {"numeric": 1, "category": 1, "segment": 1},
    "segment_joins": "",
    "kpi_segments": "",
    "slot_names": ["numeric_1"],
    "stretch_keys": ["reference_key"],
    "strict_checks": ["out_of_range"],
}


def __getattr__(name: str) -> Callable[..., Any]:
    if name.startswith("__"):
        raise AttributeError(name)
    if name == "class_scores_of":
        # Columns of the relation that it is given, each after a comma.
        return lambda relation, **_: f",\n    {relation}.class_score_1"
    return lambda *_, **__: VALUES.get(name, EXPRESSION)
