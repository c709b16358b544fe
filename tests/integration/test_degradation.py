"""When a loss counts: not from a handful of labels, not while labels are late, and as scipy says otherwise."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from scipy.stats import binomtest, chi2_contingency, false_discovery_control, norm

from support.dbt_project import DbtProject
from support.warehouses import Engine

START = pd.Timestamp("2026-01-05")
TIMES = {"predicted_at": "timestamp", "loaded_at": "timestamp", "labeled_at": "timestamp"}
REFERENCE_ROWS, REFERENCE_RIGHT = 600, 480
HORIZON_DAYS = 3
FULL_DAYS, STALLED_DAYS = 30, 50

# Labels of single days of the monitor `small`: how many arrive, and how many predictions were right.
DAYS = {0: (2, 0), 1: (1, 0), 2: (200, 120), 3: (200, 160), 4: (60, 30), 5: (200, 196)}


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
ERRORS = {0: [1.6, 1.61], 1: [1.6, 1.61, 1.62], 2: [2.0] * 199 + [2.1], 3: [1.0, 0.5, 1.5] * 60,
          4: [0.1, 0.2, 0.3] * 60}  # fmt: skip


def errors() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Predictions of a number that are off by ERRORS, and a week without labels to mature them."""
    scored = {number: predictions(number, len(off), "east") for number, off in ERRORS.items()}
    judged = [
        labels(rows, 0).assign(label=rows["prediction"] - pd.Series(ERRORS[number]))
        for number, rows in scored.items()
    ]
    return pd.concat([*scored.values(), predictions(12, 1, "east")]), pd.concat(judged)


def versions() -> tuple[pd.DataFrame, pd.DataFrame]:
    """A good version for a day, then a worse one."""
    good = predictions(0, 200, "east")
    worse = [predictions(number, 200, "east").assign(model_version="v2") for number in (1, 2)]
    after = predictions(12, 1, "east").assign(model_version="v2")
    judged = [labels(good, 180), *(labels(rows, 140) for rows in worse)]
    return pd.concat([good, *worse, after]), pd.concat(judged)


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
def losses(make_project: Any, engine: Engine) -> pd.DataFrame:
    logs = {"small": small(), "stalled": stalled(), "errors": errors(), "versions": versions()}
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
    return rows.assign(day=(pd.to_datetime(rows["window_start"]) - START).dt.days)


@pytest.fixture(scope="module")
def degradation(losses: pd.DataFrame) -> pd.DataFrame:
    return losses[(losses["model_version"] == "v1") & losses["is_deciding"].astype(bool)]


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


def test_the_interval_of_a_loss_joins_wilsons_of_both_sides(degradation: pd.DataFrame) -> None:
    rows = of(degradation, "small", "east")
    base = binomtest(REFERENCE_RIGHT, REFERENCE_ROWS).proportion_ci(method="wilson")
    share = REFERENCE_RIGHT / REFERENCE_ROWS
    for day, (n, right) in DAYS.items():
        now = binomtest(right, n).proportion_ci(method="wilson")
        loss = share - right / n
        below = ((share - base.low) ** 2 + (now.high - right / n) ** 2) ** 0.5
        above = ((base.high - share) ** 2 + (right / n - now.low) ** 2) ** 0.5
        assert rows.at[day, "loss_low"] == pytest.approx(loss - below, abs=1e-9)
        assert rows.at[day, "loss_high"] == pytest.approx(loss + above, abs=1e-9)
        assert rows.at[day, "relative_loss"] == pytest.approx(loss / share, abs=1e-12)


def test_metrics_of_a_window_are_judged_together(losses: pd.DataFrame) -> None:
    rows = losses[
        losses["monitor"].eq("small")
        & losses["model_version"].eq("v1")
        & losses["segment_value"].eq("all")
        & losses["baseline_kind"].eq("reference")
        & losses["p_value"].notna()
    ]
    checked = 0
    for _, window in rows.groupby("day"):
        expected = false_discovery_control(window["p_value"])
        assert list(window["adjusted_p_value"]) == pytest.approx(list(expected), rel=1e-9)
        checked += len(window) > 1
    assert checked >= len(DAYS)


def test_what_is_too_good_is_a_change_and_no_loss(degradation: pd.DataFrame) -> None:
    row = of(degradation, "small", "all").loc[5]
    assert (row["status"], row["reason_code"]) == ("ok", "changed")
    assert row["absolute_loss"] == pytest.approx(0.8 - 0.98)
    assert "much better" in row["reason"]


def test_errors_that_fall_are_no_loss(degradation: pd.DataFrame) -> None:
    row = of(degradation, "errors", "all", "mae").loc[4]
    assert row["absolute_loss"] == pytest.approx(0.2 - reference_errors()["label"].mean())
    assert row["absolute_loss"] < 0
    assert (row["status"], row["reason_code"]) == ("ok", "changed")


def against(losses: pd.DataFrame, monitor: str, version: str, kind: str) -> pd.DataFrame:
    rows = losses[losses["monitor"].eq(monitor) & losses["model_version"].eq(version)]
    return rows[rows["baseline_kind"].eq(kind)]


def test_the_span_before_is_a_baseline(losses: pd.DataFrame) -> None:
    rows = of(against(losses, "small", "v1", "previous_span"), "small", "all")
    (n, right), (n_before, right_before) = DAYS[4], DAYS[3]
    table = [[right, n - right], [right_before, n_before - right_before]]
    assert rows.at[4, "baseline_value"] == pytest.approx(right_before / n_before)
    assert rows.at[4, "n_baseline"] == n_before
    assert rows.at[4, "absolute_loss"] == pytest.approx(right_before / n_before - right / n)
    assert rows.at[4, "p_value"] == pytest.approx(chi2_contingency(table).pvalue, rel=1e-6)
    assert rows.at[4, "status"] == "not_judged"


def test_labels_that_were_late_are_no_baseline(losses: pd.DataFrame) -> None:
    kind = against(losses, "stalled", "v1", "previous_span")
    late = range(FULL_DAYS + 1, FULL_DAYS + STALLED_DAYS - HORIZON_DAYS - 1)
    assert of(kind, "stalled", "east")["baseline_value"].reindex(late).isna().all()
    assert of(kind, "stalled", "west")["baseline_value"].reindex(late).notna().all()


def test_the_version_before_is_a_baseline(losses: pd.DataFrame) -> None:
    rows = of(against(losses, "versions", "v2", "previous_version"), "versions", "all")
    for day in (1, 2):
        assert rows.at[day, "baseline_value"] == pytest.approx(180 / 200)
        assert rows.at[day, "absolute_loss"] == pytest.approx(180 / 200 - 140 / 200)
        expected = chi2_contingency([[140, 60], [180, 20]]).pvalue
        assert rows.at[day, "p_value"] == pytest.approx(expected, rel=1e-6)


def test_f1_of_few_rows_is_no_surer_as_a_loss(losses: pd.DataFrame) -> None:
    """Two rows, both wrong: what f1 may be reaches far from 0, on this side of the loss as well."""
    row = of(against(losses, "small", "v1", "reference"), "small", "all", "f1").loc[0]
    few = binomtest(0, 2).proportion_ci(method="wilson").high
    assert row["value"] == 0
    assert row["absolute_loss"] - row["loss_low"] >= 2 * few / (1 + few) - 1e-9
