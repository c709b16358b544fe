"""Statistics of ranks over spans, segments and references, against scipy on the raw rows; and thresholds from the
reference's own variation, against the statistics library.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ks_2samp, wasserstein_distance

from mlmon import stats
from support.benchmarks import benchmark
from support.dbt_project import DRIFT_MARTS, DbtProject
from support.warehouses import Engine

START = pd.Timestamp("2026-01-01")
REFERENCE_DAYS = 20
COLUMNS = ("normal", "skewed", "count", "grade", "wild")


def day(number: int, kind: str, n: int = 120) -> pd.DataFrame:
    """One day: continuous, skewed, tied, discrete, and infinite or missing values; later days drift."""
    random = np.random.default_rng([number, len(kind)])
    shift = max(0, number - 24) / 10
    predicted = (
        START + pd.Timedelta(days=number) + pd.to_timedelta(random.uniform(0, 24, n), unit="h")
    )
    rows = pd.DataFrame(
        {
            "request_id": [f"{kind}-{number}-{i}" for i in range(n)],
            "predicted_at": predicted,
            "loaded_at": START + pd.Timedelta(days=number, hours=25),
            "prediction": random.integers(0, 2, n),
            "score": np.clip(random.beta(2, 5, n) + shift / 10, 0, 1),
            "region": random.choice(["north", "south", "west"], n, p=[0.6, 0.3, 0.1]),
            "normal": random.normal(shift, 1, n),
            "skewed": random.lognormal(shift, 2, n),
            "count": random.poisson(3 + shift, n).astype(float),
            "grade": random.choice([1.0, 2.0, 5.0], n),
            "wild": random.standard_cauchy(n) * 1e300,
        }
    )
    rows.loc[random.random(n) < 0.05, "normal"] = np.nan
    rows.loc[random.random(n) < 0.02, "wild"] = np.inf
    if number > 26:
        rows.loc[random.random(n) < 0.2, "grade"] = random.choice([0.5, 1.5, 3.0, 9.0])
    return rows


def days(first: int, last: int, kind: str) -> pd.DataFrame:
    return pd.concat([day(number, kind) for number in range(first, last + 1)], ignore_index=True)


def answered_again(rows: pd.DataFrame) -> pd.DataFrame:
    """One request in twenty is answered once more a day later, in another window, and that row counts."""
    again = rows.iloc[::20].copy()
    again["predicted_at"] += pd.Timedelta(days=1)
    again["loaded_at"] += pd.Timedelta(days=1)
    again["normal"] += 0.5
    again["wild"] *= 2
    return pd.concat([rows, again], ignore_index=True)


REFERENCE = days(0, REFERENCE_DAYS - 1, "reference")
LOG = days(20, 32, "log")
# A reference that is the beginning of its own log.
OWN_LOG = answered_again(
    pd.concat([days(4, 19, "own"), LOG.assign(request_id="own" + LOG["request_id"])])
)
OWN_LOG = OWN_LOG[OWN_LOG["predicted_at"] < START + pd.Timedelta(days=33)]
OWN = OWN_LOG.sort_values("loaded_at").drop_duplicates("request_id", keep="last")
ROWS = {
    "table": (REFERENCE, LOG),
    "first": (OWN[OWN["predicted_at"] < START + pd.Timedelta(days=20)], OWN),
}
SPAN = 2
ROLLING_DAYS = 5


@pytest.fixture(scope="module")
def drift(make_project: Any, engine: Engine) -> pd.DataFrame:
    shared: dict[str, Any] = {
        "task": "binary",
        "columns": {"latency_ms": None, "outcome": None, "model_version": None},
        "features": {
            "normal": {"kind": "numeric", "drift_methods": ["psi", "ks", "wasserstein"]},
            "skewed": "numeric",
            "count": {
                "kind": "numeric",
                "drift_rule": ["ks"],
                "drift_methods": ["psi", "ks", "wasserstein"],
            },
            "grade": "numeric",
            "wild": {"kind": "numeric", "drift_methods": "all"},
        },
        "segments": ["region"],
        "spans": ["1d", f"{SPAN}d"],
    }
    project: DbtProject = make_project(
        engine,
        vars={
            "mlmon_monitors": {
                "table": {
                    **shared,
                    "predictions": {"source": ["logs", "log"]},
                    "reference": {"source": ["logs", "reference"]},
                },
                "first": {
                    **shared,
                    "predictions": {"source": ["logs", "own"]},
                    "reference": {"first_days": 16},
                },
                "rolling": {
                    **shared,
                    "predictions": {"source": ["logs", "own"]},
                    "reference": {"first_days": 16, "rolling_days": ROLLING_DAYS},
                },
            },
            "mlmon_lookback_days": 2,
        },
        sources={"logs": ["log", "own", "reference"]},
    )
    project.warehouse.load("reference", REFERENCE)
    # In the second run the reference of `first` lies before the stretch that is searched.
    for last in (30, 32):
        seen = START + pd.Timedelta(days=last + 1)
        project.warehouse.load("log", LOG[LOG["predicted_at"] < seen])
        project.warehouse.load("own", OWN_LOG[OWN_LOG["predicted_at"] < seen])
        project.build_with_facts(*DRIFT_MARTS)
    bounds = project.read("int_mlmon__log_bounds").set_index("monitor")
    assert bounds.at["first", "search_from_at"] > START + pd.Timedelta(days=25)
    found = project.read("fct_mlmon__drift")
    keys = ["monitor", "window_end", "span_windows", "segment_value", "column_name", "method"]
    return found.set_index(keys).sort_index()


def samples(monitor: str, window_end: pd.Timestamp, column: str, region: str) -> tuple[Any, Any]:
    """The non-missing values of the reference and of the span that ends there."""
    reference, log = ROWS["first" if monitor == "rolling" else monitor]
    at = log["predicted_at"]
    if monitor == "rolling":
        before = window_end - pd.Timedelta(days=SPAN)
        reference = log[(at < before) & (at >= before - pd.Timedelta(days=ROLLING_DAYS))]
    current = log[(at < window_end) & (at >= window_end - pd.Timedelta(days=SPAN))]
    if region != "all":
        reference = reference[reference["region"] == region]
        current = current[current["region"] == region]
    return reference[column].dropna(), current[column].dropna()


def test_scipys_ks_is_within_the_value_error(drift: pd.DataFrame) -> None:
    rows = drift.xs("ks", level="method").xs(SPAN, level="span_windows")
    rows = rows[(rows["n_current"] > 0) & (rows["n_reference"] > 0)]
    assert set(rows.index.get_level_values("monitor")) == {"table", "first", "rolling"}
    wrong = []
    for key, row in rows.iterrows():
        monitor, end, region, column = key  # type: ignore[misc]
        expected = ks_2samp(*samples(monitor, end, column, region)).statistic
        value, error = float(row["value"]), float(row["value_error"])
        if not value - 1e-12 <= expected <= value + error + 1e-12:
            wrong.append((key, value, error, expected))
    assert wrong == []
    assert (rows["value_error"] < 0.1).all()
    assert rows["value_error"].mean() < 0.005
    # Of columns with few values nothing is hidden in a cell.
    few = rows[rows.index.get_level_values("column_name").isin(["count", "grade"])]
    assert (few["value_error"] == 0).all()
    assert ((rows["value_method"] == "exact") == (rows["value_error"] == 0)).all()
    by_column = rows.groupby("column_name").size()
    assert set(by_column.index) == {*COLUMNS, "score"}
    # Scores, and features judged by it, are compared by segment, too.
    segmented = {column for column, n in by_column.items() if n > by_column["normal"]}
    assert segmented == {"score", "count"}


def test_the_benchmark_of_false_alarms_counts_cells_as_the_warehouse_does(
    drift: pd.DataFrame,
) -> None:
    false_alarms = benchmark("false_alarms")
    rows = drift.xs("ks", level="method").xs(SPAN, level="span_windows")
    rows = rows[(rows["n_current"] > 0) & (rows["n_reference"] > 0)]
    found, expected, finer = [], [], []
    for key, row in rows.iterrows():
        monitor, end, region, column = key  # type: ignore[misc]
        # The first reference cuts the cells of the rolling one, and infinite values are the warehouse's alone.
        if monitor == "rolling" or column == "wild":
            continue
        edges = false_alarms.cell_edges(np.sort(ROWS[monitor][0][column].dropna()))
        is_fine = column == "score" and region == "all"
        widths = [false_alarms.SCORE_WIDTHS, false_alarms.FEATURE_WIDTHS]
        sides = samples(monitor, end, column, region)
        d = [false_alarms.ks_of_cells(*sides, edges, w) for w in widths]
        found.append(float(row["value"]))
        expected.append(d[0 if is_fine else 1])
        finer.append(d[0])
    assert len(found) > 200
    assert found == pytest.approx(expected, abs=1e-12)
    # The widths matter: five in one say less.
    assert (np.array(finer) > np.array(found) + 1e-9).mean() > 0.05


def test_ks_is_there_at_the_verdict_span_alone(drift: pd.DataFrame) -> None:
    rows = drift.xs("ks", level="method")
    assert set(rows.index.get_level_values("span_windows")) == {SPAN}
    assert rows["is_verdict"].all()


@pytest.mark.parametrize("column", ["normal", "count", "wild"])
def test_scipys_wasserstein_is_within_the_value_error(drift: pd.DataFrame, column: str) -> None:
    rows = drift.xs("wasserstein", level="method").xs(column, level="column_name")
    rows = rows[rows["n_reference"] > 0]
    assert len(rows) >= 26
    errors = []
    for key, row in rows.iterrows():
        monitor, end, _, region = key  # type: ignore[misc]
        reference, current = samples(monitor, end, column, region)
        scale = 1e300 if column == "wild" else 1.0
        expected = wasserstein_distance(
            reference[np.isfinite(reference)] / scale, current[np.isfinite(current)] / scale
        )
        value, error = float(row["value"]) / scale, float(row["value_error"]) / scale
        assert abs(value - expected) <= error + 1e-9 * expected, key
        errors.append(abs(value - expected) / expected)
    if column == "count":
        assert (rows["value_error"] == 0).all()
    assert np.mean(errors) < 0.02


def test_wasserstein_is_also_in_units_of_the_reference(drift: pd.DataFrame) -> None:
    rows = drift.xs("wild", level="column_name").xs("wasserstein_normed", level="method")
    rows = rows[rows["n_reference"] > 0]
    assert len(rows) >= 26
    for key, row in rows.iterrows():
        monitor, end, _, region = key  # type: ignore[misc]
        reference, current = (side[np.isfinite(side)] / 1e300
                              for side in samples(monitor, end, "wild", region))  # fmt: skip
        expected = wasserstein_distance(reference, current) / np.std(reference)
        assert abs(float(row["value"]) - expected) <= float(row["value_error"]) + 1e-9 * expected


def stretches_psi(rows: pd.DataFrame, column: str, last_day: pd.Timestamp) -> list[float]:
    """The PSI of each stretch of the reference, counted back from its end, against its rest."""
    bins = stats.numeric_bins(rows[column].to_numpy())
    found = []
    for k in range(10):
        end = last_day - pd.Timedelta(days=SPAN * k)
        inside = (rows["predicted_at"] < end) & (
            rows["predicted_at"] >= end - pd.Timedelta(days=SPAN)
        )
        if not inside.any():
            break
        counts = [
            stats.bin_counts(side[column].to_numpy(), bins)
            for side in (rows[~inside], rows[inside])
        ]
        found.append(stats.psi(*counts))
    return found


@pytest.mark.parametrize("monitor", ["table", "first"])
@pytest.mark.parametrize("column", ["normal", "skewed", "count"])
def test_thresholds_follow_the_reference_where_it_varies_more(
    drift: pd.DataFrame, monitor: str, column: str
) -> None:
    psi = stretches_psi(ROWS[monitor][0], column, START + pd.Timedelta(days=20))
    assert len(psi) == {"table": 10, "first": 8}[monitor]
    varied = max(np.mean(psi) + 3 * np.std(psi), np.quantile(psi, 0.99))
    rows = drift.xs("psi", level="method").xs(SPAN, level="span_windows")
    rows = rows.xs("all", level="segment_value").loc[monitor].xs(column, level="column_name")
    assert rows["threshold_warning"].to_numpy() == pytest.approx(max(0.1, varied), rel=1e-9)
    assert rows["threshold_critical"].to_numpy() == pytest.approx(2.5 * max(0.1, varied), rel=1e-9)
    expected = "reference_windows" if varied > 0.1 else "fixed"
    assert set(rows["threshold_source"]) == {expected}
