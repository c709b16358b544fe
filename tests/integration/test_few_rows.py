"""Intervals of windows where few rows carry a metric, against scipy and formulas written down again here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from scipy import stats
from sklearn import metrics as sk

from support.dbt_project import DbtProject
from support.warehouses import Engine

Floats = npt.NDArray[np.float64]
Bounds = tuple[float, float]
Z = float(stats.norm.ppf(0.975))
FIRST_DAY = pd.Timestamp("2026-01-05")


def binary_days(rng: np.random.Generator) -> dict[str, pd.DataFrame]:
    """Few of both classes; every positive above every negative; one positive that scores expect to be scarce."""
    few = pd.DataFrame(
        {"score": rng.random(60).round(2), "label": (np.arange(60) < 12).astype(int)}
    )
    few["score"] = (0.6 * few["score"] + 0.3 * few["label"]).round(2)
    ordered = pd.DataFrame({"score": np.linspace(0.1, 0.9, 30).round(3)})
    ordered["label"] = (ordered["score"] > 0.75).astype(int)
    scarce = pd.DataFrame({"score": (rng.random(100) * 0.04).round(4), "label": 0})
    scarce.loc[7, "label"] = 1
    days = {"few": few, "ordered": ordered, "scarce": scarce}
    for day in days.values():
        day["prediction"] = (day["score"] >= 0.5).astype(int)
    return days


def multiclass_days(rng: np.random.Generator) -> dict[str, pd.DataFrame]:
    label = rng.choice(list("abc"), 60, p=[0.6, 0.3, 0.1])
    guess = np.where(rng.random(60) < 0.7, label, rng.choice(list("abc"), 60))
    right = pd.DataFrame({"prediction": list("abac") * 10, "label": list("abac") * 10})
    return {"classes": pd.DataFrame({"prediction": guess, "label": label}), "right": right}


def regression_days(rng: np.random.Generator) -> dict[str, pd.DataFrame]:
    """Errors of which a few are most of the sum of their squares."""
    days = {}
    for name in ("heavy", "light"):
        label = rng.gamma(3, 20, 50).round(2)
        off = 3 * rng.standard_t(3, 50) if name == "heavy" else rng.normal(1, 2, 50)
        days[name] = pd.DataFrame({"prediction": (label + off).round(2), "label": label})
    return days


DAYS: dict[str, Callable[[np.random.Generator], dict[str, pd.DataFrame]]] = {
    "binary": binary_days,
    "multiclass": multiclass_days,
    "regression": regression_days,
}


@pytest.fixture(scope="module")
def days() -> dict[str, pd.DataFrame]:
    rng = np.random.default_rng(11)
    return {name: day for make in DAYS.values() for name, day in make(rng).items()}


@pytest.fixture(scope="module")
def of_spans(make_project: Any, engine: Engine, days: dict[str, pd.DataFrame]) -> pd.DataFrame:
    rng = np.random.default_rng(11)
    tasks = {task: list(make(rng)) for task, make in DAYS.items()}
    project: DbtProject = make_project(
        engine,
        vars={
            "mlmon_monitors": {
                task: {
                    "task": task,
                    "predictions": {"source": ["logs", f"{task}_predictions"]},
                    "labels": {"source": ["logs", f"{task}_labels"]},
                    "reference": {"source": ["logs", "reference"]} if task == "binary" else None,
                    "columns": {
                        "latency_ms": None, "outcome": None, "model_version": None,
                        **({} if task == "binary" else {"score": None}),
                    },
                    **({"quantile": 0.9} if task == "regression" else {}),
                    "features": {},
                    "spans": ["1d", "3d"],
                    "label_horizon_days": 1,
                }
                for task in DAYS
            },
            "mlmon_lookback_days": 0,
        },
        sources={
            "logs": [f"{task}_{log}" for task in DAYS for log in ("predictions", "labels")]
            + ["reference"]
        },
    )  # fmt: skip
    # One bin of scores: what labels drawn with them would do follows from their mean.
    project.warehouse.load(
        "reference", pd.DataFrame({"score": [0.5] * 20, "prediction": 1, "label": [0, 1] * 10})
    )
    for task, names in tasks.items():
        rows = pd.concat(
            [
                days[name].assign(predicted_at=FIRST_DAY + pd.Timedelta(days=k, hours=12), day=name)
                for k, name in enumerate(names)
            ],
            ignore_index=True,
        )
        rows["request_id"] = "r" + rows.index.astype(str)
        # Late enough to close the last day.
        rows["loaded_at"] = FIRST_DAY + pd.Timedelta(days=len(names) + 1)
        project.warehouse.load(f"{task}_predictions", rows.drop(columns=["label", "day"]))
        labels = rows[["request_id", "label", "loaded_at"]].assign(labeled_at=rows["predicted_at"])
        project.warehouse.load(f"{task}_labels", labels)
    project.build_for("fct_mlmon__performance")
    found: pd.DataFrame = project.read("fct_mlmon__performance")
    found = found[(found["model_version"] == "all") & (found["label_age"] == "latest")]
    number = (pd.to_datetime(found["window_end"]) - FIRST_DAY).dt.days - 1
    return found.assign(
        day=[tasks[monitor][k] for monitor, k in zip(found["monitor"], number, strict=True)]
    ).set_index(["day", "metric", "class_label"])


@pytest.fixture(scope="module")
def performance(of_spans: pd.DataFrame) -> pd.DataFrame:
    return of_spans[of_spans["span_windows"] == 1]


def wilson(hits: float, n: float) -> Bounds:
    """Of counts that need not be whole; equal to scipy's where they are (below)."""
    share = hits / n
    middle = (share + Z * Z / (2 * n)) / (1 + Z * Z / n)
    half = Z * np.sqrt(share * (1 - share) / n + Z * Z / (4 * n * n)) / (1 + Z * Z / n)
    return float(middle - half), float(middle + half)


def log_t(values: Floats, value: float, power: float = 1.0) -> Bounds:
    """Of a power of the mean of values from 0 on."""
    effective = values.sum() ** 2 / (values**2).sum()
    assert effective < 40
    t = stats.t.ppf(0.975, max(1.0, (effective - 1) / 2))
    width = power * t * values.std(ddof=1) / np.sqrt(len(values)) / values.mean()
    return float(value * np.exp(-width)), float(value * np.exp(width))


def delta(metric: Callable[[Floats], float], counts: Floats) -> float:
    """Variance by the delta method over multinomial counts, the gradient taken by differences."""
    steps = np.eye(len(counts)) * 1e-5
    slopes = np.array([(metric(counts + step) - metric(counts - step)) / 2e-5 for step in steps])
    return float((counts * slopes**2).sum() - (counts * slopes).sum() ** 2 / counts.sum())


def close(row: pd.Series, bounds: Bounds, method: str) -> None:
    assert row["interval_method"] == method
    # t is within 2e-5 of scipy's.
    np.testing.assert_allclose([row["value_low"], row["value_high"]], bounds, rtol=2e-4)


def test_wilson_is_scipys() -> None:
    expected = stats.binomtest(7, 19).proportion_ci(method="wilson")
    assert wilson(7, 19) == pytest.approx((expected.low, expected.high))


def test_roc_auc_of_few_is_delongs_on_the_logit_with_t(
    performance: pd.DataFrame, days: dict[str, pd.DataFrame]
) -> None:
    day = days["few"]
    positive = day.loc[day["label"] == 1, "score"].to_numpy()
    negative = day.loc[day["label"] == 0, "score"].to_numpy()
    above = (positive[:, None] > negative) + 0.5 * (positive[:, None] == negative)
    auc = above.mean()
    variance = above.mean(axis=1).var(ddof=1) / len(positive)
    variance += above.mean(axis=0).var(ddof=1) / len(negative)
    width = stats.t.ppf(0.975, len(positive) - 1) * np.sqrt(variance) / (auc * (1 - auc))
    odds = np.log(auc / (1 - auc))
    row = performance.loc[("few", "roc_auc", "all")]
    assert row["value"] == pytest.approx(auc)
    close(
        row,
        (1 / (1 + np.exp(-(odds - width))), 1 / (1 + np.exp(-(odds + width)))),
        "delong_logit",
    )


def test_roc_auc_of_one_is_no_surer_than_the_rarer_class(
    performance: pd.DataFrame, days: dict[str, pd.DataFrame]
) -> None:
    n_rarer = int(days["ordered"]["label"].sum())
    expected = stats.binomtest(n_rarer, n_rarer).proportion_ci(method="wilson")
    row = performance.loc[("ordered", "roc_auc", "all")]
    assert row["value"] == 1
    close(row, (expected.low, 1.0), "wilson_rarest_class")
    assert row["standard_error"] == pytest.approx((1 - expected.low) / Z)


def test_roc_auc_of_one_positive_has_no_interval(performance: pd.DataFrame) -> None:
    row = performance.loc[("scarce", "roc_auc", "all")]
    assert row["value"] > 0
    assert row[["value_low", "value_high", "interval_method"]].isna().all()


@pytest.mark.parametrize("name", ["few", "ordered", "scarce"])
def test_f1_of_few_is_wilsons_of_the_jaccard_index(
    performance: pd.DataFrame, days: dict[str, pd.DataFrame], name: str
) -> None:
    day = days[name]
    hits = int((day["label"] & day["prediction"]).sum())
    counted = int((day["label"] | day["prediction"]).sum())
    expected = stats.binomtest(hits, counted).proportion_ci(method="wilson")
    close(
        performance.loc[(name, "f1", "all")],
        (2 * expected.low / (1 + expected.low), 2 * expected.high / (1 + expected.high)),
        "wilson_jaccard",
    )


@pytest.mark.parametrize("name", ["few", "ordered"])
def test_mcc_of_few_has_a_half_added_to_each_count(
    performance: pd.DataFrame, days: dict[str, pd.DataFrame], name: str
) -> None:
    def mcc(counts: Floats) -> float:
        tn, fp, fn, tp = counts
        return float((tp * tn - fp * fn) / np.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)))

    day = days[name]
    counts = np.bincount(2 * day["label"] + day["prediction"], minlength=4).astype(float)
    half = Z * np.sqrt(delta(mcc, counts + 0.5))
    row = performance.loc[(name, "mcc", "all")]
    assert row["value"] == pytest.approx(mcc(counts))
    middle = mcc(counts + 0.5)
    bounds = (min(row["value"], middle - half), max(row["value"], min(1, middle + half)))
    close(row, bounds, "haldane_anscombe")
    assert row["standard_error"] == pytest.approx(half / Z, rel=1e-4)


def test_losses_of_a_scarce_class_vary_as_labels_drawn_with_the_scores(
    performance: pd.DataFrame, days: dict[str, pd.DataFrame]
) -> None:
    day = days["scarce"]
    score, label, n = day["score"].to_numpy(), day["label"].to_numpy(), len(day)
    mean = score.mean()
    losses = {
        "brier": ((score - label) ** 2, (1 - 2 * mean) ** 2),
        "log_loss": (
            -np.log(np.where(label == 1, score, 1 - score)),
            np.log(mean / (1 - mean)) ** 2,
        ),
    }
    for metric, (loss, slope) in losses.items():
        drawn = n * mean * (1 - mean) * slope / n**2
        spread = np.sqrt(max(drawn, loss.var(ddof=1) / n))
        expected = (max(0, loss.mean() - Z * spread), loss.mean() + Z * spread)
        row = performance.loc[("scarce", metric, "all")]
        close(row, expected, "normal_drawn")
        assert row["standard_error"] == pytest.approx(spread, rel=1e-6)


def test_averages_of_one_are_no_surer_than_their_rows(performance: pd.DataFrame) -> None:
    expected = stats.binomtest(40, 40).proportion_ci(method="wilson")
    for metric in ("f1_macro", "f1_weighted", "precision_weighted"):
        row = performance.loc[("right", metric, "all")]
        assert row["value"] == 1
        close(row, (expected.low, 1.0), "wilson_effective")


def test_average_precision_of_few_positives_has_t(
    performance: pd.DataFrame, days: dict[str, pd.DataFrame]
) -> None:
    row = performance.loc[("few", "average_precision", "all")]
    n, value = int(days["few"]["label"].sum()), row["value"]
    width = stats.t.ppf(0.975, n - 1) / np.sqrt(n * value * (1 - value))
    odds = np.log(value / (1 - value))
    close(row, (1 / (1 + np.exp(width - odds)), 1 / (1 + np.exp(-width - odds))), "logit")


def test_averages_over_classes_are_wilsons_of_as_many_rows_as_they_are_worth(
    performance: pd.DataFrame, days: dict[str, pd.DataFrame]
) -> None:
    table = pd.crosstab(days["classes"]["label"], days["classes"]["prediction"]).to_numpy()

    def average(counts: Floats, weighted: bool, f1: bool) -> float:
        cells = counts.reshape(table.shape)
        hits, labels, predicted = np.diag(cells), cells.sum(axis=1), cells.sum(axis=0)
        part = 2 * hits / (labels + predicted) if f1 else hits / predicted
        return float((part * labels).sum() / labels.sum() if weighted else part.mean())

    for metric, weighted, f1 in (
        ("f1_macro", False, True), ("f1_weighted", True, True), ("precision_weighted", True, False),
    ):  # fmt: skip
        counts = table.ravel().astype(float)
        value = average(counts, weighted, f1)
        variance = delta(lambda c, w=weighted, f=f1: average(c, w, f), counts)  # type: ignore[misc]
        n_effective = value * (1 - value) / variance
        row = performance.loc[("classes", metric, "all")]
        assert row["value"] == pytest.approx(value)
        close(row, wilson(value * n_effective, n_effective), "wilson_effective")


def test_means_of_a_few_large_errors_are_of_the_logarithm_with_t(
    performance: pd.DataFrame, days: dict[str, pd.DataFrame]
) -> None:
    day = days["heavy"]
    error, label = (day["prediction"] - day["label"]).to_numpy(), day["label"].to_numpy()
    squares = error**2
    mse = squares.mean()
    close(performance.loc[("heavy", "mse", "all")], log_t(squares, mse), "log_t")
    close(performance.loc[("heavy", "rmse", "all")], log_t(squares, mse**0.5, 0.5), "log_t")
    close(performance.loc[("heavy", "mae", "all")], log_t(abs(error), abs(error).mean()), "log_t")
    # 1 - r2 is a mean of squares over the labels' variance.
    spread = ((label - label.mean()) ** 2).sum()
    share = squares.sum() / spread
    terms = squares - share * (label - label.mean()) ** 2
    deviation = np.sqrt((terms**2).sum() / spread**2 * len(day) / (len(day) - 1))
    effective = squares.sum() ** 2 / (squares**2).sum()
    width = stats.t.ppf(0.975, max(1, (effective - 1) / 2)) * deviation / share
    bounds = (1 - share * np.exp(width), 1 - share * np.exp(-width))
    close(performance.loc[("heavy", "r2", "all")], bounds, "log_t")


def test_what_does_not_merge_is_exact_over_spans(
    of_spans: pd.DataFrame, days: dict[str, pd.DataFrame]
) -> None:
    spans = of_spans[of_spans["span_windows"] == 3]
    scored = pd.concat([days[name] for name in ("few", "ordered", "scarce")])
    for metric, of in (
        ("roc_auc", sk.roc_auc_score), ("average_precision", sk.average_precision_score),
    ):  # fmt: skip
        value = spans.loc[("scarce", metric, "all"), "value"]
        assert value == pytest.approx(of(scored["label"], scored["score"]), rel=1e-9)
    numbers = pd.concat([days["heavy"], days["light"]])
    value = spans.loc[("light", "median_absolute_error", "all"), "value"]
    expected = sk.median_absolute_error(numbers["label"], numbers["prediction"])
    assert value == pytest.approx(expected, rel=1e-9)
