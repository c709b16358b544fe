"""Performance estimated before labels arrive: NannyML's own values, and what the labels say later."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest
from sklearn import metrics as sk

from support.dbt_project import DbtProject
from support.warehouses import Engine

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "cbpe"
START = pd.Timestamp("2026-01-05")
TIMES = {"predicted_at": "timestamp", "loaded_at": "timestamp", "labeled_at": "timestamp"}
# The golden chunks are days; after them come days of calibrated scores whose labels keep what the scores say.
CHUNKS, HONEST_DAYS, HONEST_ROWS = 10, 60, 300
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
    }
    made: DbtProject = make_project(
        engine,
        vars={"mlmon_monitors": {"m": monitor}, "mlmon_lookback_days": 0},
        sources={"logs": ["predictions", "labels", "reference"]},
    )
    predictions, came = logged()
    made.warehouse.load("predictions", predictions, types=TIMES)
    made.warehouse.load("labels", came, types=TIMES)
    reference = golden("reference").assign(part="golden")
    made.warehouse.load("reference", reference[["score", "prediction", "label", "part"]])
    made.build("--select", *(f"+fct_mlmon__{mart}" for mart in MARTS))
    return made


@pytest.fixture(scope="module")
def estimates(project: DbtProject) -> pd.DataFrame:
    rows = project.read("fct_mlmon__estimated_performance")
    day = (pd.to_datetime(rows["window_end"]) - START).dt.days - 1
    return rows.assign(day=day)


@pytest.mark.parametrize("metric", ["accuracy", "f1", "roc_auc"])
def test_estimates_equal_nannymls(estimates: pd.DataFrame, engine: Engine, metric: str) -> None:
    expected = pd.read_csv(GOLDEN / "expected.csv")
    wanted = expected[expected["metric"] == metric].set_index("chunk")
    rows = estimates[
        (estimates["metric"] == metric)
        & (estimates["span_windows"] == 1)
        & (estimates["segment_name"] == "all")
        & (estimates["day"] < CHUNKS)
    ].set_index("day")
    assert len(rows) == CHUNKS
    off = (rows["value"] - wanted["estimated_nannyml"]).abs()
    realised = (rows["realised_value"] - wanted["realised_nannyml"]).abs()
    # Postgres calibrates by bins.
    bound = 0.01 if engine == "postgres" else 1e-7 if metric == "roc_auc" else 1e-9
    assert off.max() < bound
    assert realised.max() < 1e-9


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


def test_the_record_is_the_mean_of_what_was_borne_out(
    project: DbtProject, estimates: pd.DataFrame
) -> None:
    record = project.read("fct_mlmon__estimation_record")
    assert set(record["metric"]) == {"accuracy", "precision", "recall", "f1", "roc_auc"}
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
