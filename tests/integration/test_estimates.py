"""Performance estimated before labels arrive: NannyML's own values, and what the labels say later."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest
from sklearn import metrics as sk
from sklearn.isotonic import IsotonicRegression

from support.dbt_project import DbtProject
from support.warehouses import Engine

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "cbpe"
START = pd.Timestamp("2026-01-05")
TIMES = {"predicted_at": "timestamp", "loaded_at": "timestamp", "labeled_at": "timestamp"}
# The golden chunks are days; after them come days of calibrated scores whose labels keep what the scores say.
CHUNKS, HONEST_DAYS, HONEST_ROWS = 10, 60, 300
# Versions with a small reference each, in which few predictions are positive.
VERSIONS, REFERENCE_ROWS, VERSION_ROWS = 80, 300, 500
Z = 1.959963984540054
LOGS = ("predictions", "labels")
MARTS = ("estimated_performance", "estimation_record", "performance")


def log(rows: pd.DataFrame, days: pd.Series) -> pd.DataFrame:
    predicted = START + pd.to_timedelta(days.to_numpy(), unit="D") + pd.Timedelta(hours=9)
    return pd.DataFrame(
        {
            "request_id": [f"r{i}" for i in range(len(rows))],
            "model_version": "v1",
            "predicted_at": predicted,
            "loaded_at": predicted,
            "score": rows["score"].to_numpy(),
            "prediction": rows["prediction"].to_numpy(),
            "part": np.where(days < CHUNKS, "golden", "honest"),
        }
    )


def labels(predictions: pd.DataFrame, label: pd.Series) -> pd.DataFrame:
    came = predictions["predicted_at"] + pd.Timedelta(hours=20)
    return pd.DataFrame(
        {
            "request_id": predictions["request_id"],
            "label": label.to_numpy(),
            "labeled_at": came,
            "loaded_at": came,
        }
    )


def honest() -> pd.DataFrame:
    """Scores whose labels come with the probabilities that the golden reference gives them, nearly."""
    rng = np.random.default_rng(5)
    reference = golden("reference")
    drawn = reference.sample(
        HONEST_DAYS * HONEST_ROWS, replace=True, random_state=rng.integers(1 << 30)
    )
    chunk = CHUNKS + np.repeat(np.arange(HONEST_DAYS), HONEST_ROWS)
    return drawn.assign(chunk=chunk)


def golden(part: str) -> pd.DataFrame:
    rows = pd.read_parquet(GOLDEN / "scores.parquet")
    return rows[rows["part"] == part]


def few_positive(rng: np.random.Generator, n: int) -> pd.DataFrame:
    x = rng.normal(size=n * VERSIONS)
    score = 1 / (1 + np.exp(3 - 1.5 * x))
    label = rng.random(len(x)) < 1 / (1 + np.exp(3 - 2.5 * x))
    return pd.DataFrame(
        {
            "model_version": np.repeat([f"v{i}" for i in range(VERSIONS)], n),
            "score": score,
            "prediction": (score > 0.5).astype(int),
            "label": label.astype(int),
        }
    )


def load_few(project: DbtProject) -> None:
    """One day of every version, a day for the labels to come, and a day of one that closes both."""
    rng = np.random.default_rng(8)
    project.warehouse.load("few_reference", few_positive(rng, REFERENCE_ROWS))
    rows = few_positive(rng, VERSION_ROWS)
    later = rows.tail(1).assign(model_version="later")
    rows = pd.concat([rows, later], ignore_index=True)
    days = pd.Series(np.where(rows["model_version"] == "later", 8, 0))
    predictions = log(rows, days).drop(columns="part")
    predictions["model_version"] = rows["model_version"]
    project.warehouse.load("few_predictions", predictions, types=TIMES)
    project.warehouse.load("few_labels", labels(predictions, rows["label"]), types=TIMES)


def narrow() -> pd.DataFrame:
    """Scores whose threshold and whose calibration lie inside of cells, and some that are nearly 0."""
    random = np.random.default_rng(11)
    score = np.concatenate([random.uniform(0.29, 0.31, 3_000), [1e-290, 1e-200, 1e-150, 1e-90] * 5])
    return pd.DataFrame(
        {
            "score": score,
            "prediction": (score >= 0.3003).astype(int),
            "label": (random.random(len(score)) < (score - 0.285) * 30).astype(int),
            "is_reference": np.arange(len(score)) % 2 == 0,
        }
    )


def load_narrow(project: DbtProject) -> None:
    rows = narrow()
    known = rows.loc[rows["is_reference"], ["score", "prediction", "label"]]
    project.warehouse.load("narrow_reference", known)
    rows = rows[~rows["is_reference"]].drop(columns="is_reference").reset_index(drop=True)
    # A later row closes the day.
    rows = pd.concat([rows, rows.head(1)], ignore_index=True)
    predictions = log(rows, pd.Series(0, index=rows.index).where(rows.index < len(rows) - 1, 2))
    project.warehouse.load("narrow_predictions", predictions, types=TIMES)
    project.warehouse.load("narrow_labels", labels(predictions, rows["label"]), types=TIMES)


def is_labelled(rows: pd.DataFrame) -> np.ndarray:
    return np.random.default_rng(9).random(len(rows)) < 0.5


def logged() -> tuple[pd.DataFrame, pd.DataFrame]:
    rows = pd.concat([golden("analysis"), honest()], ignore_index=True)
    predictions = log(rows, rows["chunk"])
    return predictions, labels(predictions, rows["label"])


@pytest.fixture(scope="module")
def project(make_project: Any, engine: Engine) -> DbtProject:
    monitor = {
        "task": "binary",
        "predictions": {"source": ["logs", "predictions"]},
        "labels": {"source": ["logs", "labels"]},
        "reference": {"source": ["logs", "reference"]},
        "columns": {"latency_ms": None, "outcome": None},
        "features": {},
        "segments": ["part"],
        "spans": ["1d", "7d"],
        "label_horizon_days": 3,
        # The golden scores have four.
        "score_digits": 4,
    }
    coarse = {**monitor, "segments": [], "spans": ["1d"], "score_digits": 3}
    few = {
        **monitor,
        **{log: {"source": ["logs", f"few_{log}"]} for log in (*LOGS, "reference")},
        "segments": [],
        "spans": ["1d"],
    }
    narrow_scores = {
        **few,
        **{log: {"source": ["logs", f"narrow_{log}"]} for log in (*LOGS, "reference")},
        "score_digits": 3,
    }
    half = {
        **monitor,
        "labels": {"source": ["logs", "half_labels"]},
        # Without predictions: all of its rows count for both classes.
        "reference": {"source": ["logs", "half_reference"]},
        "segments": [],
        "spans": ["1d"],
    }
    made: DbtProject = make_project(
        engine,
        vars={
            "mlmon_monitors": {
                "m": monitor,
                "coarse": coarse,
                "few": few,
                "half": half,
                "narrow": narrow_scores,
            },
            "mlmon_lookback_days": 0,
        },
        sources={
            "logs": [
                *(f"{of}{log}" for of in ("", "few_", "narrow_") for log in (*LOGS, "reference")),
                "half_labels",
                "half_reference",
            ]
        },
    )
    load_few(made)
    load_narrow(made)
    predictions, came = logged()
    made.warehouse.load("predictions", predictions, types=TIMES)
    made.warehouse.load("labels", came, types=TIMES)
    made.warehouse.load("half_labels", came[is_labelled(came)], types=TIMES)
    reference = golden("reference").assign(part="golden")
    made.warehouse.load("half_reference", reference[["score", "label"]])
    made.warehouse.load("reference", reference[["score", "prediction", "label", "part"]])
    made.build("--select", *(f"+fct_mlmon__{mart}" for mart in MARTS))
    return made


def read(project: DbtProject, mart: str, monitor: str = "m") -> pd.DataFrame:
    rows: pd.DataFrame = project.read(f"fct_mlmon__{mart}")
    return rows[rows["monitor"] == monitor]


@pytest.fixture(scope="module")
def estimates(project: DbtProject) -> pd.DataFrame:
    rows = read(project, "estimated_performance")
    day = (pd.to_datetime(rows["window_end"]) - START).dt.days - 1
    return rows.assign(day=day)


@pytest.mark.parametrize("monitor", ["m", "coarse"])
@pytest.mark.parametrize("metric", ["accuracy", "f1", "roc_auc"])
def test_estimates_equal_nannymls(project: DbtProject, metric: str, monitor: str) -> None:
    expected = pd.read_csv(GOLDEN / "expected.csv")
    wanted = expected[expected["metric"] == metric].set_index("chunk")
    rows = read(project, "estimated_performance", monitor)
    rows = rows.assign(day=(pd.to_datetime(rows["window_end"]) - START).dt.days - 1)
    rows = rows[
        (rows["metric"] == metric)
        & (rows["span_windows"] == 1)
        & (rows["segment_name"] == "all")
        & (rows["day"] < CHUNKS)
    ].set_index("day")
    rows = rows.sort_index()
    assert len(rows) == CHUNKS
    off = (rows["value"] - wanted["estimated_nannyml"]).abs()
    realised = (rows["realised_value"] - wanted["realised_nannyml"]).abs()
    # NannyML's own estimate of the area is an integral in steps.
    assert (off <= rows["value_error"] + (1e-7 if metric == "roc_auc" else 1e-9)).all()
    assert rows["value_error"].max() <= (0 if monitor == "m" else 0.02)
    assert off.max() <= 2e-5
    assert realised.max() < (1e-9 if monitor == "m" or metric != "roc_auc" else 1e-3)


def test_what_cells_hide_of_an_estimate_is_told(project: DbtProject) -> None:
    """Against the same estimate from the raw scores, with scikit-learn's isotonic regression."""
    rows = narrow()
    known, new = rows[rows["is_reference"]], rows[~rows["is_reference"]]
    calibration = IsotonicRegression(out_of_bounds="clip").fit(known["score"], known["label"])
    p = calibration.predict(new["score"])
    positive = (new["prediction"] == 1).to_numpy()
    tp, fn = p[positive].sum(), p[~positive].sum()
    wanted = {
        "accuracy": (tp + (~positive).sum() - fn) / len(p),
        "precision": tp / positive.sum(),
        "recall": tp / (tp + fn),
        "f1": 2 * tp / (positive.sum() + tp + fn),
        "specificity": ((~positive).sum() - fn) / (len(p) - tp - fn),
        "prevalence": (tp + fn) / len(p),
    }
    found = read(project, "estimated_performance", "narrow")
    found = found[found["window_date"] == found["window_date"].min()].set_index("metric")
    for metric, value in wanted.items():
        off = abs(found.at[metric, "value"] - value)
        assert 0 < off <= found.at[metric, "value_error"] < 0.05, metric
    # Pairs of rows by the order of their raw scores, ties counting half.
    by_score = np.argsort(new["score"].to_numpy(), kind="stable")
    below = np.cumsum(1 - p[by_score]) - (1 - p[by_score]) / 2
    area = (p[by_score] * below).sum() / p.sum() / (1 - p).sum()
    off = abs(found.at["roc_auc", "value"] - area)
    assert 0 < off <= found.at["roc_auc", "value_error"]


def test_spans_and_segments_are_estimated_of_all_their_rows(estimates: pd.DataFrame) -> None:
    rows = golden("analysis")
    week = estimates[
        (estimates["metric"] == "accuracy")
        & (estimates["span_windows"] == 7)
        & (estimates["day"] == 8)
    ].set_index("segment_value")
    assert set(week.index) == {"all", "golden"}
    inside = rows[rows["chunk"].between(2, 8)]
    assert week.at["all", "n_predictions"] == len(inside) == week.at["golden", "n_predictions"]
    assert week.at["all", "value"] == pytest.approx(week.at["golden", "value"], abs=1e-12)
    realised = sk.accuracy_score(inside["label"], inside["prediction"])
    assert week.at["all", "realised_value"] == pytest.approx(realised, abs=1e-12)


def test_intervals_hold_what_comes_where_scores_are_honest(estimates: pd.DataFrame) -> None:
    rows = estimates[
        (estimates["span_windows"] == 1)
        & (estimates["segment_name"] == "all")
        & (estimates["day"] >= CHUNKS)
        & estimates["is_covered"].notna()
    ]
    for metric, of_metric in rows.groupby("metric"):
        held = int(of_metric["is_covered"].astype(bool).sum())
        # At most one time in a thousand by chance if 95 % are held.
        assert len(of_metric) >= HONEST_DAYS - 4, metric
        assert binomtest(held, len(of_metric), 0.95).pvalue > 1e-3, (metric, held)


def test_intervals_know_how_few_rows_of_the_reference_were_predicted_alike(
    estimates: pd.DataFrame,
) -> None:
    known, rows = golden("reference"), golden("analysis")
    calibration = IsotonicRegression(out_of_bounds="clip").fit(known["score"], known["label"])
    found = estimates[
        (estimates["span_windows"] == 1)
        & (estimates["segment_name"] == "all")
        & (estimates["day"] < CHUNKS)
    ].set_index(["day", "metric"])
    for day, of_day in rows.groupby("chunk"):
        p = calibration.predict(of_day["score"])
        is_positive = (of_day["prediction"] == 1).to_numpy()
        counts, variances = [], []
        for cell in (is_positive, ~is_positive):
            alike = (known["prediction"] == is_positive[cell][0]).sum()
            smoothed = (p[cell] * alike + 1) / (alike + 2)
            factor = 1 + cell.sum() / alike
            variances.append((smoothed * (1 - smoothed)).sum() * factor)
            counts.append((p[cell].sum(), cell.sum()))
        (tp, n_positive), (fn, _) = counts
        slopes = {
            "accuracy": (1 / len(p), -1 / len(p)),
            "precision": (1 / n_positive, 0),
            "recall": (fn / (tp + fn) ** 2, -tp / (tp + fn) ** 2),
            "f1": (
                2 * (n_positive + fn) / (n_positive + tp + fn) ** 2,
                -2 * tp / (n_positive + tp + fn) ** 2,
            ),
        }
        for metric, slope in slopes.items():
            row = found.loc[(day, metric)]
            half = Z * np.sqrt(np.square(slope) @ variances)
            low, high = max(0, row["value"] - half), min(1, row["value"] + half)
            assert row["value_low"] == pytest.approx(low, abs=1e-9), (day, metric)
            assert row["value_high"] == pytest.approx(high, abs=1e-9), (day, metric)


def test_intervals_hold_what_comes_where_few_predictions_are_positive(
    project: DbtProject,
) -> None:
    rows = read(project, "estimated_performance", "few")
    rows = rows[rows["realised_value"].notna()]
    for metric in ("accuracy", "precision", "recall", "f1"):
        held = rows[rows["metric"] == metric]["is_covered"].astype(bool)
        assert len(held) >= 0.8 * VERSIONS
        # Each version has a reference of its own, so none of them is lucky for all.
        assert held.mean() >= 0.85, (metric, held.mean())


def test_a_window_labelled_in_part_is_held_to_a_wider_interval(project: DbtProject) -> None:
    rows = read(project, "estimated_performance", "half")
    rows = rows[rows["realised_value"].notna()]
    day = (pd.to_datetime(rows["window_end"]) - START).dt.days - 1
    predictions, came = logged()
    days = (predictions["predicted_at"] - START).dt.days
    widening = 1 / np.sqrt(pd.Series(is_labelled(came)).groupby(days).mean()[day].to_numpy())
    low = rows["value"] - (rows["value"] - rows["value_low"]) * widening
    high = rows["value"] + (rows["value_high"] - rows["value"]) * widening
    held = rows["realised_value"].between(low - 1e-12, high + 1e-12)
    assert (rows["is_covered"].astype(bool) == held).all()
    assert not rows["realised_value"].between(rows["value_low"], rows["value_high"])[held].all()
    for metric, of_metric in held[day >= CHUNKS].groupby(rows["metric"]):
        assert len(of_metric) >= HONEST_DAYS - 4, metric
        # At most one time in a thousand by chance if 95 % are held.
        assert binomtest(int(of_metric.sum()), len(of_metric), 0.95).pvalue > 1e-3, metric


def test_the_record_is_the_mean_of_what_was_borne_out(
    project: DbtProject, estimates: pd.DataFrame
) -> None:
    record = read(project, "estimation_record")
    ratios = {"accuracy", "precision", "recall", "f1", "specificity", "prevalence"}
    assert set(record["metric"]) == {*ratios, "roc_auc"}
    for told in record.to_dict("records"):
        rows = estimates[
            (estimates["metric"] == told["metric"])
            & (estimates["span_windows"] == told["span_windows"])
            & (estimates["segment_name"] == "all")
            & estimates["realised_value"].notna()
        ]
        assert told["n_windows"] == len(rows) > 0
        assert told["mean_error"] == pytest.approx(rows["estimation_error"].mean())
        assert told["mean_absolute_error"] == pytest.approx(rows["estimation_error"].abs().mean())
        assert told["covered_share"] == pytest.approx(rows["is_covered"].astype(bool).mean())


def test_the_newest_days_are_estimated_before_any_label(estimates: pd.DataFrame) -> None:
    last = estimates[
        (estimates["day"] == estimates["day"].max()) & (estimates["span_windows"] == 1)
    ]
    assert len(last) > 0
    assert last["value"].between(0, 1).all()
    assert last["realised_value"].isna().all()
    assert last["is_covered"].isna().all()
