"""Performance and label maturity against golden values: scikit-learn, statsmodels, and a log of late labels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn import metrics as sk

from support.dbt_project import DbtProject
from support.warehouses import Engine

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
BINARY_METRICS = (
    "accuracy", "precision", "recall", "f1", "specificity", "balanced_accuracy", "mcc",
    "predicted_positive_rate", "prevalence", "log_loss", "brier", "ece", "roc_auc",
    "average_precision",
)  # fmt: skip
MULTICLASS_METRICS = (
    "accuracy", "balanced_accuracy", "precision_macro", "recall_macro", "f1_macro", "precision_micro",
    "recall_micro", "f1_micro", "precision_weighted", "recall_weighted", "f1_weighted", "log_loss",
)  # fmt: skip
REGRESSION_METRICS = (
    "mae", "mse", "rmse", "bias", "mape", "smape", "r2", "median_absolute_error", "pinball_loss",
)  # fmt: skip
# What has an interval that no golden file holds.
OWN_INTERVALS = ("balanced_accuracy", "average_precision", "ece", "f1")
# What is computed from cells of scores or errors.
IN_CELLS = ("roc_auc", "average_precision", "median_absolute_error")
DATASETS = (
    "bin_all_predicted_positive", "bin_none_predicted_positive", "bin_one_class", "bin_plain",
    "bin_ties",
)  # fmt: skip
MULTICLASS = ("mc_plain", "mc_class_never_predicted", "mc_unseen_label")
REGRESSION = ("reg_plain", "reg_zero_labels", "reg_constant_label", "reg_perfect")
TASKS = {"binary": DATASETS, "multiclass": MULTICLASS, "regression": REGRESSION}
LOGS = ("predictions", "labels")
Z = 1.959963984540054
CUT_OFFS = ("2026-03-08", "2026-03-18", "2026-04-10")


def read_golden(path: str) -> pd.DataFrame:
    return pd.read_csv(GOLDEN / path, keep_default_na=False, dtype=str)


def number(text: str) -> float:
    return float(text) if text else np.nan


def delayed(monitor: str) -> str:
    """`delayed_20260308`: the monitor that sees what was loaded by a cut-off."""
    return "delayed_" + monitor.replace("-", "")


@pytest.fixture(scope="module")
def project(make_project: Any, engine: Engine) -> DbtProject:
    monitors: dict[str, Any] = {
        dataset: {
            "task": task,
            "predictions": {"source": ["logs", f"{dataset}_predictions"]},
            "labels": {"source": ["logs", f"{dataset}_labels"]},
            "reference": {"source": ["logs", f"{dataset}_reference"]} if task == "binary" else None,
            "columns": {
                "latency_ms": None, "outcome": None, "model_version": None,
                **({} if task == "binary" else {"score": None}),
            },
            **({"quantile": 0.9} if task == "regression" else {}),
            **({"class_scores": {c: f"score_{c}" for c in "abcd"}} if task == "multiclass" else {}),
            "features": {},
            "spans": ["1d"],
        }
        for task, datasets in TASKS.items()
        for dataset in datasets
    }  # fmt: skip
    # Every score is 1, and every label 0.
    sure = pd.DataFrame({"score": 1.0, "prediction": 1, "label": 0}, index=range(20))
    monitors["sure"] = {
        **monitors["bin_plain"],
        **{log: {"source": ["logs", f"sure_{log}"]} for log in (*LOGS, "reference")},
    }
    for name in ("three_digits", "unscored"):
        monitors[name] = {
            **monitors["bin_plain"],
            **{log: {"source": ["logs", f"{name}_{log}"]} for log in (*LOGS, "reference")},
        }

    for cut_off in CUT_OFFS:
        monitors[delayed(cut_off)] = {
            "task": "binary",
            "predictions": {"source": ["logs", f"{delayed(cut_off)}_predictions"]},
            "labels": {"source": ["logs", f"{delayed(cut_off)}_labels"]},
            "reference": None,
            "columns": {"latency_ms": None},
            "features": {},
            "success_outcomes": ["ok"],
            "spans": ["1d"],
            "label_horizon_days": 14,
            "label_ages_days": [1, 3, 7],
        }
    tables = [f"{name}_{log}" for name in monitors for log in LOGS]
    tables += [
        f"{dataset}_reference" for dataset in (*DATASETS, "sure", "three_digits", "unscored")
    ]
    made: DbtProject = make_project(
        engine,
        vars={"mlmon_monitors": monitors, "mlmon_lookback_days": 0},
        sources={"logs": tables},
    )
    made.warehouse.load("sure_reference", sure)
    load_day(made, "sure", sure)
    rounded = three_digits()[["part", "score", "prediction", "label"]]
    made.warehouse.load("three_digits_reference", rounded[rounded["part"] == "reference"])
    unscored = pd.DataFrame({"score": np.nan, "prediction": 1, "label": [0, 1, 1]})
    made.warehouse.load("unscored_reference", sure)
    load_day(made, "unscored", unscored)
    load_day(made, "three_digits", rounded[rounded["part"] == "current"])
    for task, datasets in TASKS.items():
        rows = pd.read_parquet(GOLDEN / "metrics" / f"{task}.parquet")
        for dataset in datasets:
            current = rows[rows["dataset"] == dataset]
            if task == "binary":
                reference = current[current["part"] == "reference"]
                made.warehouse.load(
                    f"{dataset}_reference", reference[["score", "prediction", "label"]]
                )
                current = current[current["part"] == "current"]
            load_day(made, dataset, current)
    for cut_off in CUT_OFFS:
        for log_name in ("predictions", "labels"):
            log = pd.read_parquet(GOLDEN / "delayed_labels" / f"{log_name}.parquet")
            seen = log[log["loaded_at"] <= pd.Timestamp(cut_off)]
            # Rows without a time of prediction or labelling are logged as well.
            made.warehouse.load(f"{delayed(cut_off)}_{log_name}", seen)
    marts = (
        "performance",
        "confusion",
        "calibration",
        "degradation",
        "label_delays",
        "windows",
        "quarantine",
        "quality_checks",
    )
    made.build("--select", *(f"+fct_mlmon__{mart}" for mart in marts))
    return made


def three_digits() -> pd.DataFrame:
    """The golden scores rounded, some of them to 0 and 1."""
    rows = pd.read_parquet(GOLDEN / "metrics" / "binary.parquet")
    rows = rows[rows["dataset"] == "bin_plain"].reset_index(drop=True)
    rows["score"] = rows["score"].round(3)
    rows.loc[rows.index % 50 == 0, "score"] = rows["score"].round()
    return rows


def load_day(project: DbtProject, dataset: str, rows: pd.DataFrame) -> None:
    """A day's predictions, with labels at once."""
    log = pd.DataFrame(
        {
            "request_id": [f"r{i}" for i in range(len(rows))],
            "predicted_at": pd.Timestamp("2026-01-05 12:00:00"),
            "loaded_at": pd.Timestamp("2026-01-06 12:00:00"),
            "prediction": rows["prediction"].to_numpy(),
        }
    )
    for column in rows.columns[rows.columns.str.startswith("score")]:
        log[column] = rows[column].to_numpy()
    labels = pd.DataFrame(
        {
            "request_id": log["request_id"],
            "label": rows["label"].to_numpy(),
            "labeled_at": log["predicted_at"],
            "loaded_at": log["loaded_at"],
        }
    )
    project.warehouse.load(f"{dataset}_predictions", log)
    project.warehouse.load(f"{dataset}_labels", labels)


@pytest.fixture(scope="module")
def performance(project: DbtProject) -> pd.DataFrame:
    rows: pd.DataFrame = project.read("fct_mlmon__performance")
    return rows[rows["model_version"] == "all"]


CASES = [
    (dataset, metric, "all")
    for datasets, metrics in (
        (DATASETS, BINARY_METRICS), (MULTICLASS, MULTICLASS_METRICS), (REGRESSION, REGRESSION_METRICS),
    )
    for dataset in datasets
    for metric in metrics
] + [
    (dataset, metric, label)
    for dataset in MULTICLASS
    for metric in ("precision", "recall", "f1")
    for label in ("a", "b", "c", "d", *(["zz"] if dataset == "mc_unseen_label" else []))
]  # fmt: skip


@pytest.mark.parametrize(("dataset", "metric", "class_label"), CASES)
def test_metric_equals_its_golden_value(
    performance: pd.DataFrame, dataset: str, metric: str, class_label: str
) -> None:
    expected = read_golden("metrics/expected.csv").set_index(["dataset", "metric"])
    rows = performance[
        (performance["monitor"] == dataset)
        & (performance["metric"] == metric)
        & (performance["class_label"] == class_label)
        & (performance["label_age"] == "latest")
    ]
    [found] = rows.to_dict("records")
    name = f"{metric}[{class_label}]" if class_label != "all" else metric
    name = f"{metric}[0.9]" if metric == "pinball_loss" else name
    value = number(str(expected.at[(dataset, name), "value"]))
    # What is counted by cells may be off by as much as it says; all else is exact.
    hidden = found["value_error"] if metric in IN_CELLS else 0
    off = 1e-12 + np.nan_to_num(hidden)
    assert np.isclose(found["value"], value, rtol=1e-9, atol=off, equal_nan=True)
    assert metric in IN_CELLS or found["value_error"] in (0, None) or np.isnan(found["value_error"])
    assert found["status"] == ("insufficient_data" if np.isnan(value) else "not_judged")
    if (dataset, f"{metric} interval") not in expected.index:
        if dataset in DATASETS and metric not in OWN_INTERVALS:
            assert np.isnan(found["value_low"])
        elif not np.isnan(found["value_low"]):
            assert found["value_low"] <= found["value"] <= found["value_high"]
        return
    for bound, column in (("lower", "value_low"), ("upper", "value_high")):
        limit = number(str(expected.at[(dataset, f"{metric} interval"), bound]))
        # An error cannot be below 0, whatever a normal interval says.
        limit = max(limit, 0.0) if metric in ("mae", "mse", "rmse") else limit
        assert np.isclose(found[column], limit, rtol=1e-8, atol=2 * off, equal_nan=True), column


@pytest.mark.parametrize("metric", ["roc_auc", "average_precision", "brier", "log_loss"])
def test_scores_of_three_digits_are_ranked_exactly(performance: pd.DataFrame, metric: str) -> None:
    rows = three_digits()
    rows = rows[rows["part"] == "current"]
    wanted = {
        "roc_auc": sk.roc_auc_score,
        "average_precision": sk.average_precision_score,
        "brier": sk.brier_score_loss,
        "log_loss": sk.log_loss,
    }[metric](rows["label"], rows["score"])
    [found] = performance[
        (performance["monitor"] == "three_digits") & (performance["metric"] == metric)
        & (performance["label_age"] == "latest")
    ].to_dict("records")  # fmt: skip
    assert found["value"] == pytest.approx(wanted, abs=1e-9)
    assert found["value_error"] == 0


@pytest.mark.parametrize("metric", ["roc_auc", "average_precision", "log_loss", "brier"])
def test_rows_without_a_score_are_counted_where_no_row_has_one(
    performance: pd.DataFrame, metric: str
) -> None:
    [found] = performance[
        (performance["monitor"] == "unscored") & (performance["metric"] == metric)
        & (performance["label_age"] == "latest")
    ].to_dict("records")  # fmt: skip
    assert np.isnan(found["value"])
    assert (found["n"], found["n_excluded"]) == (0, 3)


def test_rows_left_out_of_a_metric_are_counted(performance: pd.DataFrame) -> None:
    expected = read_golden("metrics/expected.csv").set_index(["dataset", "metric"])
    for dataset in REGRESSION:
        rows = performance[
            (performance["monitor"] == dataset)
            & (performance["metric"] == "mape")
            & (performance["label_age"] == "latest")
        ]
        [found] = rows.to_dict("records")
        left_out = number(str(expected.at[(dataset, "mape_left_out"), "value"]))
        assert found["n_excluded"] == left_out
        assert found["n"] + left_out == number(str(expected.at[(dataset, "n"), "value"]))


def test_confusion_equals_scikit_learns(project: DbtProject) -> None:
    expected = read_golden("metrics/expected.csv").set_index(["dataset", "metric"])
    confusion = project.read("fct_mlmon__confusion")
    confusion = confusion[
        (confusion["model_version"] == "all") & (confusion["label_age"] == "latest")
    ]
    for dataset in DATASETS:
        cells = confusion[confusion["monitor"] == dataset].set_index("cell")
        for cell in ("tp", "fp", "fn", "tn"):
            n = cells["n"].get(cell, 0)
            assert n == number(str(expected.at[(dataset, cell), "value"])), (dataset, cell)
        assert np.isclose(cells["share_of_all"].sum(), 1)


def test_calibration_adds_up(project: DbtProject, performance: pd.DataFrame) -> None:
    """The reliability table gives ece, and the parts of the Brier score give the whole."""
    calibration = project.read("fct_mlmon__calibration")
    for dataset in DATASETS:
        bins = calibration[
            (calibration["monitor"] == dataset) & (calibration["model_version"] == "all")
        ]
        values = performance[
            (performance["monitor"] == dataset) & (performance["label_age"] == "latest")
        ].set_index("metric")["value"]
        gaps = (bins["calibration_gap"].abs() * bins["n"]).sum() / bins["n"].sum()
        assert np.isclose(gaps, values["ece"], rtol=1e-9)
        assert bins["observed_low"].le(bins["observed_rate"]).all()
        assert bins["reference_observed_rate"].between(0, 1).all()
        whole = (
            values["brier_reliability"] - values["brier_resolution"]
            + values["brier_uncertainty"] + values["brier_within_bins"]
        )  # fmt: skip
        assert np.isclose(whole, values["brier"], rtol=1e-9)


def test_the_interval_of_ece_takes_off_what_chance_adds_to_the_gaps(
    project: DbtProject, performance: pd.DataFrame
) -> None:
    calibration = project.read("fct_mlmon__calibration")
    rows = pd.read_parquet(GOLDEN / "metrics" / "binary.parquet")
    for dataset in DATASETS:
        bins = calibration[
            (calibration["monitor"] == dataset) & (calibration["model_version"] == "all")
        ]
        scored = rows[(rows["dataset"] == dataset) & (rows["part"] == "current")]
        off = (scored["score"] - scored["label"]).to_numpy()
        within = [
            (scored["score"].gt(low) & scored["score"].le(high)).to_numpy()
            for low, high in zip(
                bins["bin_lower"].fillna(-np.inf), bins["bin_upper"].fillna(np.inf), strict=True
            )
        ]
        members = [off[inside] for inside in within]
        scores = [scored["score"].to_numpy()[inside] for inside in within]
        assert sum(map(len, members)) == len(off)
        members = [gaps for gaps in members if len(gaps) > 0]
        gap = np.array([abs(gaps.sum()) for gaps in members])
        # No less than labels drawn with the scores make: a bin without a positive one seems to have none.
        drawn = [
            np.sqrt(len(m) * m.mean() * (1 - m.mean())) for m in scores if len(m) > 0
        ]  # fmt: skip
        seen = [gaps.std(ddof=1) * np.sqrt(len(gaps)) if len(gaps) > 1 else 0 for gaps in members]
        spread = np.maximum(drawn, seen)
        share = gap / spread
        # The mean of a folded normal, as scipy has it, less that of the normal.
        likely = (stats.foldnorm.mean(share) - share) * spread
        most = 2 / np.sqrt(np.pi) * np.exp(-(share**2) / 2) * spread
        ece = gap.sum() / len(off)
        of_bins = np.repeat([g / len(m) for g, m in zip(gap, members, strict=True)],
                            [len(m) for m in members])  # fmt: skip
        margin = Z * np.sqrt((spread**2).sum() / len(off) ** 2 + of_bins.var() / len(off))
        [found] = performance[
            (performance["monitor"] == dataset) & (performance["label_age"] == "latest")
            & (performance["metric"] == "ece")
        ].to_dict("records")  # fmt: skip
        assert found["interval_method"] == "folded_normal"
        low = max(0, ece - most.sum() / len(off) - margin)
        high = min(1, max(ece, ece - likely.sum() / len(off) + margin))
        assert found["value_low"] == pytest.approx(low, abs=1e-9)
        assert found["value_high"] == pytest.approx(high, abs=1e-6)
        assert found["value_low"] <= found["value"] <= found["value_high"]


def test_ece_has_no_interval_where_it_has_no_value(performance: pd.DataFrame) -> None:
    rows = performance[performance["monitor"].str.startswith("delayed_")]
    rows = rows[(rows["metric"] == "ece") & (rows["n"] > 0)]
    assert len(rows) > 0
    assert rows["value"].isna().all()
    assert rows[["value_low", "value_high", "interval_method"]].isna().all(axis=None)


def test_the_interval_of_ece_is_its_value_where_nothing_is_left_to_chance(
    performance: pd.DataFrame,
) -> None:
    [found] = performance[
        (performance["monitor"] == "sure") & (performance["metric"] == "ece")
        & (performance["label_age"] == "latest")
    ].to_dict("records")  # fmt: skip
    assert (found["value"], found["value_low"], found["value_high"]) == (1, 1, 1)


@pytest.mark.parametrize("cut_off", CUT_OFFS)
def test_delayed_labels_equal_their_definition(performance: pd.DataFrame, cut_off: str) -> None:
    expected = read_golden("delayed_labels/expected.csv")
    expected = expected[expected["as_of"].str.startswith(cut_off)]
    rows = performance[
        (performance["monitor"] == delayed(cut_off)) & (performance["metric"] == "accuracy")
    ]
    found = {
        (str(row["window_start"])[:10], row["label_age"].removesuffix("d")): row
        for row in rows.to_dict("records")
    }
    compared = 0
    for row in expected.to_dict("records"):
        key = (row["window_start"][:10], row["label_age"])
        if key not in found:
            # A window that is not closed yet is not judged.
            assert pd.Timestamp(row["window_start"]) + pd.Timedelta(days=1) > newest(cut_off), key
            continue
        # Labels at latest are complete once all of them can have come.
        of_age = row["is_mature" if row["label_age"] == "latest" else "is_age_complete"]
        is_complete = of_age.lower() == "true"
        assert found[key]["n_predictions"] == int(row["n_predictions"]), key
        assert found[key]["n"] == int(row["n_labelled"]), key
        assert np.isclose(found[key]["label_coverage"], number(row["coverage"])), key
        assert np.isclose(found[key]["value"], number(row["accuracy"]), equal_nan=True), key
        assert bool(found[key]["is_mature"]) == (row["is_mature"].lower() == "true"), key
        assert bool(found[key]["is_complete"]) == is_complete, key
        compared += 1
    assert compared >= 30
    # Windows go on to the newest closed one, empty ones among them.
    empty = [row for row in found.values() if row["n_predictions"] == 0]
    assert compared == len(found) - len(empty)


def newest(cut_off: str) -> pd.Timestamp:
    """The newest prediction loaded by a cut-off, less the hour that windows stay open."""
    log = pd.read_parquet(GOLDEN / "delayed_labels" / "predictions.parquet")
    seen: pd.Timestamp = log[log["loaded_at"] <= pd.Timestamp(cut_off)]["loaded_at"].max()
    return seen - pd.Timedelta(hours=1)


@pytest.mark.parametrize("cut_off", CUT_OFFS)
def test_label_delays_equal_their_definition(project: DbtProject, cut_off: str) -> None:
    expected = read_golden("delayed_labels/expected.csv")
    expected = expected[
        expected["as_of"].str.startswith(cut_off) & (expected["label_age"] != "latest")
    ]
    delays = project.read("fct_mlmon__label_delays")
    delays = delays[(delays["monitor"] == delayed(cut_off)) & (delays["model_version"] == "all")]
    wanted = {
        (row["window_start"][:10], int(row["label_age"])): row
        for row in expected.to_dict("records")
    }
    assert len(delays) >= 20
    for found in delays[delays["n_predictions"] > 0].to_dict("records"):
        row = wanted[(str(found["window_start"])[:10], found["age_days"])]
        assert found["n_predictions"] == int(row["n_predictions"])
        assert found["n_labelled"] == int(row["n_labelled"])
        assert np.isclose(found["label_coverage"], number(row["coverage"]))
        assert bool(found["is_complete"]) == (row["is_age_complete"].lower() == "true")


@pytest.mark.parametrize("cut_off", CUT_OFFS)
def test_counted_rows_equal_their_definition(project: DbtProject, cut_off: str) -> None:
    expected = read_golden("delayed_labels/expected_counts.csv")
    expected = expected[expected["as_of"].str.startswith(cut_off)]
    wanted = dict(zip(expected["count"], expected["value"], strict=True))
    windows = project.read("fct_mlmon__windows")
    windows = windows[
        (windows["monitor"] == delayed(cut_off)) & (windows["model_version"] == "all")
    ]
    quarantine = project.read("fct_mlmon__quarantine")
    quarantine = quarantine[quarantine["monitor"] == delayed(cut_off)]

    def quarantined(log_name: str, *reasons: str) -> int:
        rows = quarantine[
            (quarantine["log_name"] == log_name) & quarantine["reason_code"].isin(reasons)
        ]
        return int(rows["n_rows"].sum())

    unusable = ("missing_request_id", "missing_time")
    found = {
        "prediction_rows": int(windows["n_log_rows"].sum()) + quarantined("predictions", *unusable),
        "predictions_quarantined": quarantined("predictions", *unusable),
        "duplicate_prediction_rows": int(windows["n_duplicates"].sum()),
        "requests": int(windows["n_predictions"].sum()),
        "requests_error": int(windows["n_errors"].sum()),
        "labels_quarantined": quarantined("labels", *unusable),
        "labels_before_prediction": int(windows["n_early_labels"].sum()),
    }
    assert {name: int(wanted[name]) for name in found} == found

    labels = pd.read_parquet(GOLDEN / "delayed_labels" / "labels.parquet")
    predictions = pd.read_parquet(GOLDEN / "delayed_labels" / "predictions.parquet")
    labels = labels[labels["loaded_at"] <= pd.Timestamp(cut_off)]
    predictions = predictions[predictions["loaded_at"] <= pd.Timestamp(cut_off)].dropna(
        subset=["request_id", "predicted_at"]
    )
    orphans = labels.dropna()
    orphans = orphans[~orphans["request_id"].isin(predictions["request_id"])]
    assert orphans["request_id"].nunique() == int(wanted["orphan_labels"])
    assert quarantined("labels", "label_without_prediction") == len(orphans)

    checks = project.read("fct_mlmon__quality_checks")
    checks = checks[
        (checks["monitor"] == delayed(cut_off)) & (checks["check_name"] == "label_conflicts")
    ]
    closed = checks[checks["model_version"] == "all"]
    assert 0 < int(closed["n_failed"].sum()) <= int(wanted["requests_with_conflicting_labels"])
