"""What a short lookback must not cost: runs that stopped half-way, changed settings, references that change late,
long pauses, and logs that lose their beginning.

Every monitor lives through the same runs with its own trouble. In the end its marts equal those of one full
build; where the log was cut, what was computed from the lost rows is still there.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from support.compare import differences
from support.dbt_project import DbtProject

START = pd.Timestamp("2026-01-05 09:00")
LOOKBACK_DAYS = 3
TIMES = {"predicted_at": "timestamp", "loaded_at": "timestamp", "labeled_at": "timestamp"}


def day(number: float, version: str = "v1") -> pd.DataFrame:
    """Twelve predictions of one day, an hour apart, in two segments, around a slowly moving mean."""
    n = 12
    random = np.random.default_rng([int(number * 10), len(version)])
    predicted = START + pd.Timedelta(days=number) + pd.to_timedelta(np.arange(n), unit="h")
    return pd.DataFrame(
        {
            "request_id": [f"{version}-{number}-{i}" for i in range(n)],
            "model_version": version,
            "predicted_at": predicted,
            "loaded_at": predicted + pd.Timedelta(minutes=1),
            "prediction": random.integers(0, 2, n),
            "score": random.random(n),
            "latency_ms": random.integers(5, 50, n).astype(float),
            "x": random.normal(number / 10, 1, n),
            "colour": random.choice(["red", "green", "blue"], n),
            "region": random.choice(["east", "west"], n),
        }
    )


def days(first: int, last: int, version: str = "v1") -> pd.DataFrame:
    return pd.concat([day(number, version) for number in range(first, last + 1)])


def since(rows: pd.DataFrame, number: float) -> pd.DataFrame:
    """What a log still has once everything before that day (counted from midnight) is deleted."""
    return rows[rows["predicted_at"] >= START.normalize() + pd.Timedelta(days=number)]


LATE = day(13, "v2").head(1).assign(
    request_id="late", predicted_at=START + pd.Timedelta(days=13, hours=3),
    loaded_at=START + pd.Timedelta(days=16),
)  # fmt: skip
# A row that comes late to a day from which the log then goes on for longer than the lookback.
LATE_ROW = day(13).head(1).assign(
    request_id="late row", predicted_at=START + pd.Timedelta(days=13, hours=4),
    loaded_at=START + pd.Timedelta(days=14, hours=12),
)  # fmt: skip
TWO_VERSIONS = [pd.concat([days(0, 12), days(12, last, "v2")]) for last in (12, 14, 16, 17)]

# The log of each monitor: at first, after the settings changed, before the last run that stops, and in the end.
LOGS: dict[str, list[pd.DataFrame]] = {
    "steady": [days(0, 11), days(0, 14), days(0, 17)],
    "zoned": [days(0, 11), days(0, 14), days(0, 17)],
    "grained": [days(0, 8), days(0, 9), days(0, 10)],
    "stopped": [
        days(0, 11),
        days(0, 14),
        pd.concat([days(0, 14), LATE_ROW]),
        pd.concat([days(0, 22), LATE_ROW]),
    ],
    "paused": [days(0, 5), days(0, 5), days(0, 17)],
    "versions": [TWO_VERSIONS[0], TWO_VERSIONS[1], TWO_VERSIONS[3]],
    "late_reference": [TWO_VERSIONS[0], TWO_VERSIONS[1], pd.concat([TWO_VERSIONS[2], LATE])],
    # One version's late first days are what another, older than the lookback, is binned by.
    "compared": [TWO_VERSIONS[0], TWO_VERSIONS[1], pd.concat([TWO_VERSIONS[2], LATE])],
    "rolling": [TWO_VERSIONS[0], TWO_VERSIONS[1], TWO_VERSIONS[3]],
    "emptied": [days(0, 11), days(0, 11).head(0)],
    "cut": [days(0, 11), since(days(0, 12), 7), since(days(0, 13), 7)],
    "cut_reference": [days(0, 11), since(days(0, 12), 4.625), since(days(0, 13), 5.625)],
}
LOGS["cut_unranked"] = LOGS["cut_reference"]
CUT = [name for name in LOGS if name.startswith("cut")]


def monitors(changed: bool) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in LOGS:
        found[name] = {
            "task": "binary",
            "predictions": {"source": ["logs", f"{name}_predictions"]},
            "labels": {"source": ["logs", f"{name}_labels"]},
            "reference": {"source": ["logs", "reference"]},
            "features": {"x": "numeric", "colour": "categorical"},
            "segments": ["region"],
            "spans": ["1d", "3d"],
            "label_horizon_days": 3,
            "label_ages_days": [1],
            "slo": {"latency_ms": 40 if changed else 30},
        }
    found["versions"]["reference"] = {"first_days": 5}
    found["late_reference"]["reference"] = {"first_days": 2}
    found["compared"]["reference"] = {"first_days": 2, "version": "v2"}
    found["rolling"]["reference"] = {"first_days": 5, "rolling_days": 3}
    found["grained"]["reference"] = {"first_days": 3}
    found["cut_reference"]["reference"] = {"first_days": 6}
    found["cut_unranked"]["reference"] = {"first_days": 6}
    found["cut_unranked"]["drift_methods"] = ["psi", "ks"] if changed else ["psi"]
    # Nothing but the log changes where the log's beginning goes.
    found["cut_reference"]["slo"] = {"latency_ms": 30}
    if changed:
        found["zoned"]["timezone"] = "America/New_York"
        found["grained"]["grain"] = "hour"
    return found


def settings(changed: bool) -> dict[str, Any]:
    return {"mlmon_monitors": monitors(changed), "mlmon_lookback_days": LOOKBACK_DAYS}


def load(project: DbtProject, state: int) -> None:
    for name, states in LOGS.items():
        predictions = states[min(state, len(states) - 1)].reset_index(drop=True)
        labelled_at = predictions["predicted_at"] + pd.Timedelta(hours=20)
        labels = pd.DataFrame(
            {
                "request_id": predictions["request_id"],
                "label": (predictions["score"] > 0.4).astype(int),
                "labeled_at": labelled_at,
                "loaded_at": labelled_at + pd.Timedelta(minutes=5),
            }
        )
        project.warehouse.load(f"{name}_predictions", predictions, types=TIMES)
        project.warehouse.load(f"{name}_labels", labels, types=TIMES)
    project.warehouse.load(
        "reference", days(0, 9).assign(label=1).reset_index(drop=True), types=TIMES
    )


@pytest.fixture(scope="module")
def lived(make_project: Any) -> DbtProject:
    """A project whose first run stops, that loses a fact, and whose settings change before a run that stops."""
    tables = [f"{name}_{log}" for name in LOGS for log in ("predictions", "labels")]
    project: DbtProject = make_project(
        "duckdb", vars=settings(False), sources={"logs": [*tables, "reference"]}
    )
    load(project, 0)
    project.run("build", "--select", "+int_mlmon__windows").require()
    project.build()
    project.run("run", "--full-refresh", "--select", "int_mlmon__column_counts").require()
    project.build()

    project.set_vars(settings(True))
    load(project, 1)
    project.run("build", "--select", "+int_mlmon__windows").require()
    project.build()

    load(project, 2)
    project.run("build", "--select", "+int_mlmon__windows").require()
    load(project, 3)
    project.build()
    return project


@pytest.fixture(scope="module")
def fresh(make_project: Any) -> DbtProject:
    tables = [f"{name}_{log}" for name in LOGS for log in ("predictions", "labels")]
    project: DbtProject = make_project(
        "duckdb", vars=settings(True), sources={"logs": [*tables, "reference"]}
    )
    load(project, 3)
    project.build()
    return project


@pytest.fixture(scope="module")
def ends(lived: DbtProject, fresh: DbtProject) -> dict[str, tuple[pd.DataFrame, pd.DataFrame]]:
    """Each mart of both."""
    return {
        mart: (lived.read(mart), fresh.read(mart))
        for mart in lived.warehouse.tables()
        if mart.startswith(("fct_mlmon__", "dim_mlmon__")) and mart != "dim_mlmon__metrics"
    }


@pytest.mark.parametrize("name", [name for name in LOGS if name not in [*CUT, "emptied"]])
def test_the_end_is_that_of_one_full_build(
    ends: dict[str, tuple[pd.DataFrame, pd.DataFrame]], name: str
) -> None:
    unequal = {}
    for mart, (left, right) in ends.items():
        found = differences(
            left[left["monitor"] == name].reset_index(drop=True),
            right[right["monitor"] == name].reset_index(drop=True),
        )
        if found:
            unequal[mart] = found
    assert unequal == {}


@pytest.mark.parametrize("name", CUT)
def test_a_log_that_loses_its_beginning_keeps_its_history(lived: DbtProject, name: str) -> None:
    windows = of(lived, "fct_mlmon__windows", name)
    assert list(windows["n_predictions"]) == [12] * 14
    closed = 13
    for mart in ("fct_mlmon__profiles", "fct_mlmon__column_drift", "fct_mlmon__quality_checks"):
        assert of(lived, mart, name)["window_start"].nunique() >= closed, mart
    assert of(lived, "fct_mlmon__profiles", name)["n_rows"].eq(12).all()


def test_a_log_that_is_emptied_keeps_its_history(lived: DbtProject) -> None:
    """Also where its settings change afterwards: there is nothing to compute it from again. Marts show it again
    with the log's next row, which says up to when windows are closed."""
    facts = lived.read("int_mlmon__column_profiles").query("monitor == 'emptied'")
    assert facts.query("column_name == 'x'")["n_profiled"].tolist() == [12] * 12


def test_a_reference_that_left_the_log_stays(lived: DbtProject) -> None:
    drift = of(lived, "fct_mlmon__drift", "cut_reference")
    judged = drift[drift["column_name"].eq("x") & drift["method"].eq("psi")]
    assert set(judged["n_reference"]) == {72}


def test_a_part_of_a_reference_is_not_ranked_for_the_whole(lived: DbtProject) -> None:
    """Days of the reference left the log before ks was asked for: their values are in no cell."""
    drift = lived.read("fct_mlmon__drift").query("is_verdict and segment_name == 'all'")
    methods = drift[drift["column_name"] == "x"].groupby("monitor")["method"].agg(set)
    assert methods["cut_unranked"] == {"psi"}
    assert methods["steady"] >= {"psi", "ks"}


def of(project: DbtProject, mart: str, name: str) -> pd.DataFrame:
    """The rows of one monitor, version v1, single windows of the whole."""
    rows = project.read(mart)
    rows = rows[(rows["monitor"] == name) & (rows["model_version"] == "v1")]
    if "span_windows" in rows:
        rows = rows[rows["span_windows"] == 1]
    if "segment_name" in rows:
        rows = rows[rows["segment_name"] == "all"]
    return rows.sort_values("window_start")


def test_a_ledger_that_was_made_anew_alone_is_completed(
    lived: DbtProject, fresh: DbtProject
) -> None:
    """Its bounds are those of the run before, which searched the end of each log."""
    lived.run("run", "--full-refresh", "--select", "int_mlmon__windows").require()
    lived.build_for("fct_mlmon__windows")
    left, right = (
        project.read("fct_mlmon__windows").query("monitor == 'steady'").reset_index(drop=True)
        for project in (lived, fresh)
    )
    assert len(right) > 17
    assert differences(left, right) == []
