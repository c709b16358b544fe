"""When a loss counts: not from a handful of labels, not while labels are late, and as scipy says otherwise."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from scipy.stats import chi2_contingency, norm

from support.dbt_project import DbtProject
from support.warehouses import Engine

START = pd.Timestamp("2026-01-05")
TIMES = {"predicted_at": "timestamp", "loaded_at": "timestamp", "labeled_at": "timestamp"}
REFERENCE_ROWS, REFERENCE_RIGHT = 600, 480
HORIZON_DAYS = 3
FULL_DAYS, STALLED_DAYS = 30, 50

# Labels of single days of the monitor `small`: how many arrive, and how many predictions were right.
DAYS = {0: (2, 0), 1: (1, 0), 2: (200, 120), 3: (200, 160), 4: (60, 30)}


def predictions(number: int, n: int, region: str) -> pd.DataFrame:
    predicted = START + pd.Timedelta(days=number) + pd.to_timedelta(range(n), unit="min")
    return pd.DataFrame(
        {
            "request_id": [f"{number}-{region}-{i}" for i in range(n)],
            "model_version": "v1",
            "predicted_at": predicted,
            "loaded_at": predicted + pd.Timedelta(minutes=1),
            "prediction": [i % 2 for i in range(n)],
            "region": region,
        }
    )


def labels(rows: pd.DataFrame, right: int) -> pd.DataFrame:
    """Labels of the rows a day later; the first `right` of them agree with the prediction."""
    came = rows["predicted_at"] + pd.Timedelta(hours=20)
    is_right = [i < right for i in range(len(rows))]
    return pd.DataFrame(
        {
            "request_id": rows["request_id"],
            "label": [
                value if good else 1 - value
                for value, good in zip(rows["prediction"], is_right, strict=True)
            ],
            "labeled_at": came,
            "loaded_at": came + pd.Timedelta(minutes=5),
        }
    )


def small() -> tuple[pd.DataFrame, pd.DataFrame]:
    """A few days with few or many labels, and a week without to mature them."""
    scored = {number: predictions(number, n, "east") for number, (n, _) in DAYS.items()}
    after = predictions(12, 1, "east")
    judged = [labels(rows, DAYS[number][1]) for number, rows in scored.items()]
    return pd.concat([*scored.values(), after]), pd.concat(judged)


def stalled() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Thirty days with all labels, then two a day of one region, both wrong; the other region never stalls."""
    scored, judged = [], []
    for number in range(FULL_DAYS + STALLED_DAYS):
        east, west = (predictions(number, 12, region) for region in ("east", "west"))
        scored += [east, west]
        judged += [labels(east, 10) if number < FULL_DAYS else labels(east.head(2), 0)]
        judged += [labels(west, 10)]
    return pd.concat(scored), pd.concat(judged)


# Absolute errors of single days of the monitor `errors`; those of the reference are 0.1, 0.2, … 1.9.
ERRORS = {0: [1.6, 1.61], 1: [1.6, 1.61, 1.62], 2: [2.0] * 199 + [2.1], 3: [1.0, 0.5, 1.5] * 60}


def errors() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Predictions of a number that are off by ERRORS, and a week without labels to mature them."""
    scored = {number: predictions(number, len(off), "east") for number, off in ERRORS.items()}
    judged = [
        labels(rows, 0).assign(label=rows["prediction"] - pd.Series(ERRORS[number]))
        for number, rows in scored.items()
    ]
    return pd.concat([*scored.values(), predictions(12, 1, "east")]), pd.concat(judged)


def reference_errors() -> pd.DataFrame:
    off = pd.Series([i % 19 / 10 + 0.1 for i in range(REFERENCE_ROWS - 11)])
    return pd.DataFrame({"prediction": off * 0, "label": off, "region": "east"})


def reference() -> pd.DataFrame:
    return pd.concat(
        [
            pd.DataFrame(
                {
                    "prediction": [i % 2 for i in range(REFERENCE_ROWS)],
                    "label": [
                        i % 2 if i < REFERENCE_RIGHT else 1 - i % 2 for i in range(REFERENCE_ROWS)
                    ],
                    "region": region,
                }
            )
            for region in ("east", "west")
        ]
    )


@pytest.fixture(scope="module")
def degradation(make_project: Any, engine: Engine) -> pd.DataFrame:
    logs = {"small": small(), "stalled": stalled(), "errors": errors()}
    monitors = {
        name: {
            "task": "binary",
            "predictions": {"source": ["logs", f"{name}_predictions"]},
            "labels": {"source": ["logs", f"{name}_labels"]},
            "reference": {"source": ["logs", "reference"]},
            "segments": ["region"],
            "spans": ["1d"],
            "label_horizon_days": HORIZON_DAYS,
            "label_ages_days": [1],
            "metrics": ["accuracy", "precision", "recall", "f1"],
        }
        for name in logs
    }
    monitors["errors"] |= {
        "task": "regression",
        "reference": {"source": ["logs", "reference_errors"]},
        "metrics": ["mae"],
    }
    tables = [f"{name}_{log}" for name in logs for log in ("predictions", "labels")]
    project: DbtProject = make_project(
        engine,
        vars={"mlmon_monitors": monitors},
        sources={"logs": [*tables, "reference", "reference_errors"]},
    )
    project.warehouse.load("reference_errors", reference_errors())
    for name, pair in logs.items():
        for log, rows in zip(("predictions", "labels"), pair, strict=True):
            project.warehouse.load(f"{name}_{log}", rows.reset_index(drop=True), types=TIMES)
    project.warehouse.load("reference", reference().reset_index(drop=True))
    project.build_for("fct_mlmon__degradation")
    rows: pd.DataFrame = project.read("fct_mlmon__degradation")
    rows = rows[(rows["model_version"] == "v1") & rows["is_deciding"]]
    return rows.assign(day=(pd.to_datetime(rows["window_start"]) - START).dt.days)


def of(rows: pd.DataFrame, name: str, segment: str, metric: str = "accuracy") -> pd.DataFrame:
    chosen = rows["monitor"].eq(name) & rows["segment_value"].eq(segment)
    return rows[chosen & rows["metric"].eq(metric)].set_index("day").sort_index()


@pytest.mark.parametrize("metric", ["accuracy", "precision", "recall", "f1"])
@pytest.mark.parametrize("segment", ["all", "east"])
def test_a_handful_of_labels_is_no_degradation(
    degradation: pd.DataFrame, metric: str, segment: str
) -> None:
    rows = of(degradation, "small", segment, metric)
    assert set(rows.loc[[0, 1], "status"]) <= {"ok", "insufficient_data"}
    assert rows.loc[2, "status"] == "critical"
    assert rows.loc[3, "status"] == "ok"


def test_a_handful_of_errors_that_agree_is_no_degradation(degradation: pd.DataFrame) -> None:
    rows = of(degradation, "errors", "all", "mae")
    assert (rows.loc[[0, 1], "relative_loss"] > 0.5).all()
    assert list(rows.loc[[0, 1], "reason_code"]) == ["could_be_chance", "could_be_chance"]
    assert rows.loc[2, "status"] == "critical"
    assert rows.loc[3, "reason_code"] == "within_threshold"
    # Their spread is taken to be that of the reference's errors.
    off = reference_errors()["label"]
    for day in (0, 1, 2):
        n = len(ERRORS[day])
        spread = off.sem() * (1 + len(off) / n) ** 0.5
        p = 2 * norm.sf((sum(ERRORS[day]) / n - off.mean()) / spread)
        assert rows.loc[day, "p_value"] == pytest.approx(p, rel=1e-4, abs=1e-9)


@pytest.mark.parametrize("day", DAYS)
def test_the_p_value_of_a_proportion_is_scipys(degradation: pd.DataFrame, day: int) -> None:
    row = of(degradation, "small", "east").loc[day]
    n, right = DAYS[day]
    table = [[right, n - right], [REFERENCE_RIGHT, REFERENCE_ROWS - REFERENCE_RIGHT]]
    loss = REFERENCE_RIGHT / REFERENCE_ROWS - right / n
    expected = 1.0 if loss == 0 else chi2_contingency(table, correction=True).pvalue
    assert row["absolute_loss"] == pytest.approx(loss, abs=1e-12)
    assert row["p_value"] == pytest.approx(expected, rel=1e-6)
    assert row["loss_low"] < loss < row["loss_high"]


def test_a_stalled_feed_is_never_degraded(degradation: pd.DataFrame) -> None:
    for segment in ("all", "east"):
        rows = of(degradation, "stalled", segment)
        stalled = rows[rows.index >= FULL_DAYS]
        assert len(stalled) >= STALLED_DAYS - 2
        judged = stalled[stalled.index < FULL_DAYS + STALLED_DAYS - HORIZON_DAYS - 1]
        assert set(judged["reason_code"]) == {"labels_late"}, segment
        assert set(stalled["status"]) == {"insufficient_data"}, segment
    assert set(of(degradation, "stalled", "west").loc[10:70, "status"]) == {"ok"}
