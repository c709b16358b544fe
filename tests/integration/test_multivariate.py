"""Joint drift: a correlation that turns while every column looks as before, on logs of two months."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from support.compare import differences
from support.dbt_project import DRIFT_MARTS, DbtProject
from support.warehouses import Engine

ROWS_A_DAY = 400
FIRST, TURN, LAST = (pd.Timestamp(day) for day in ("2026-03-01", "2026-04-01", "2026-04-20"))
SOURCES = {"logs": ["predictions", "training"]}
MART = "fct_mlmon__multivariate_drift"
AREA = ["int_mlmon__window_samples", "int_mlmon__joint_drift"]


def rows_of(random: np.random.Generator, n_rows: int, sign: int) -> pd.DataFrame:
    """Two correlated amounts, one that follows neither, and a channel; the margins do not hang on the sign."""
    first, second = random.multivariate_normal([0, 0], [[1, 0.8 * sign], [0.8 * sign, 1]], n_rows).T
    return pd.DataFrame(
        {
            "basket": np.exp(first),
            "visits": second,
            "age": np.where(random.random(n_rows) < 0.1, None, random.normal(size=n_rows)),
            "channel": random.choice(np.array(["web", "shop", "app", None], dtype=object), n_rows),
        }
    ).astype({"age": "float64"})


def log(turn: pd.Timestamp = TURN, last: pd.Timestamp = LAST) -> pd.DataFrame:
    """A log whose correlation turns on the day `turn`."""
    random = np.random.default_rng(11)
    days = []
    for day in pd.date_range(FIRST, last):
        rows = rows_of(random, ROWS_A_DAY, 1 if day < turn else -1)
        rows.insert(0, "request_id", [f"{day:%m%d}-{i}" for i in range(ROWS_A_DAY)])
        rows.insert(1, "model_version", "v1")
        rows.insert(2, "predicted_at", day + pd.Timedelta(hours=9))
        rows.insert(3, "loaded_at", day + pd.Timedelta(hours=10))
        days.append(rows)
    return pd.concat(days, ignore_index=True)


def monitor(**keys: Any) -> dict[str, Any]:
    return {
        "task": "binary",
        "predictions": {"source": ["logs", "predictions"]},
        "reference": {"first_days": 21},
        "columns": {"score": None},
        "features": {
            "basket": "numeric",
            "visits": "numeric",
            "age": "numeric",
            "channel": "categorical",
        },
        "spans": ["1d", "7d"],
        **keys,
    }


MONITORS = {
    "first_days": monitor(multivariate={"rows": 300}),
    "given": monitor(multivariate=True, reference={"source": ["logs", "training"]}),
    "dates": monitor(multivariate=True, reference={"from": "2026-03-01", "to": "2026-03-20"}),
    "silent": monitor(),
}


def project_of(make_project: Any, engine: Engine, **monitors: Any) -> DbtProject:
    made: DbtProject = make_project(
        engine,
        vars={"mlmon_monitors": monitors, "mlmon_lookback_days": 0, "mlmon_package_tests": True},
        sources=SOURCES,
    )
    return made


def land(project: DbtProject, frame: pd.DataFrame) -> None:
    project.warehouse.load("predictions", frame.assign(prediction=1))
    project.warehouse.load(
        "training", rows_of(np.random.default_rng(5), 5000, 1).assign(prediction=1)
    )


@pytest.fixture(scope="module")
def turned(make_project: Any) -> DbtProject:
    """Monitors with a reference in the log, in a table, in dates, and one that does not ask."""
    project = project_of(
        make_project,
        "duckdb",
        **MONITORS,
    )
    land(project, log())
    project.build()
    return project


@pytest.mark.parametrize("name", ["first_days", "given", "dates"])
def test_a_turned_correlation_warns_though_no_column_drifts(turned: DbtProject, name: str) -> None:
    columns = turned.read("fct_mlmon__column_drift")
    features = columns[(columns["monitor"] == name) & (columns["column_role"] == "feature")]
    full = features[features["window_end"] >= FIRST + pd.Timedelta(days=7)]
    assert set(full.loc[full["span_windows"] == 7, "status"]) == {"ok"}

    joint = turned.read(MART)
    joint = joint[joint["monitor"] == name].set_index("window_end").sort_index()
    assert set(joint["span_windows"]) == {7}
    # The last day is not closed yet.
    assert len(joint) == (LAST - FIRST).days
    before = joint.loc[:TURN]
    assert set(before["status"]) <= {"ok", "insufficient_data"}
    assert set(before.iloc[6:]["status"]) == {"ok"}
    after = joint.loc[TURN + pd.Timedelta(days=4) :]
    assert set(after["status"]) == {"warning"}
    assert set(after["reason_code"]) == {"above_warning"}
    assert set(after["top_column_name"]) == {"basket"}
    assert set(after["second_column_name"]) == {"visits"}
    assert (after["value_low"] > 0.6).any()
    assert after["reason"].str.contains("most: basket with visits").all()
    assert joint["n_current"].max() <= (300 if name == "first_days" else 2000)


def test_only_monitors_that_ask_have_rows_and_findings_and_metrics_show_them(
    turned: DbtProject,
) -> None:
    joint = turned.read(MART)
    assert set(joint["monitor"]) == {"first_days", "given", "dates"}
    findings = turned.read("fct_mlmon__findings")
    named = findings[findings["object"] == "domain_classifier"]
    assert len(named) == (joint["status"] == "warning").sum() > 0
    metrics = turned.read("fct_mlmon__metrics")
    metrics = metrics[metrics["metric"] == "domain_classifier"]
    assert len(metrics) == joint["value"].notna().sum()


def test_the_samples_are_bounded_even_and_hold_features_only(turned: DbtProject) -> None:
    samples = turned.read("int_mlmon__window_samples")
    of_log = samples["model_version"].notna()
    kept = samples[of_log].groupby(["monitor", "window_index"]).size()
    # Where a window has no more rows than are wanted, all of them; else about as many.
    assert set(kept["given"]) == set(kept["dates"]) == {ROWS_A_DAY}
    assert abs(kept["first_days"].mean() - 300) < 5
    assert kept["first_days"].max() < 300 + 6 * np.sqrt(300)
    reference = samples[~of_log]
    assert abs(len(reference) - 2000) < 6 * np.sqrt(2000)
    assert not {"request_id", "score", "prediction_class"} & set(samples.columns)
    training = rows_of(np.random.default_rng(5), 5000, 1)
    spread = training["visits"].std() / np.sqrt(len(reference))
    assert abs(reference["numeric_2"].mean() - training["visits"].mean()) < 4 * spread
    assert reference["numeric_2"].isin(training["visits"]).all()


def test_steps_end_as_one_build_and_a_second_run_changes_nothing(
    make_project: Any, turned: DbtProject
) -> None:
    project = project_of(make_project, "duckdb", **MONITORS)
    whole = log()
    early = whole[whole["predicted_at"] < TURN]
    # Late rows come a step later; rows that were there go.
    gone = whole.iloc[:40].assign(request_id=[f"gone-{i}" for i in range(40)])
    land(project, pd.concat([early.iloc[::2], gone]))
    project.build_for(MART)
    land(project, whole.sample(frac=1, random_state=3))
    project.build_with_facts(*DRIFT_MARTS, MART)
    tables = [MART, "int_mlmon__window_samples"]
    for table in tables:
        assert differences(project.read(table), turned.read(table)) == [], table
    project.build_with_facts(*DRIFT_MARTS, MART)
    assert len(project.read("int_mlmon__joint_drift")) == 0
    for table in tables:
        assert differences(project.read(table), turned.read(table)) == [], table
    # Switched off for one, its rows go and the others' stay.
    switched = {**MONITORS, "given": {**MONITORS["given"], "multivariate": False}}
    project.set_vars({"mlmon_monitors": switched, "mlmon_lookback_days": 0})
    project.build_for(MART)
    left = turned.read(MART)
    left = left[left["monitor"] != "given"].reset_index(drop=True)
    assert differences(project.read(MART), left) == []


def test_switched_on_later_it_has_every_window(make_project: Any, turned: DbtProject) -> None:
    off = {name: {**one, "multivariate": False} for name, one in MONITORS.items()}
    project = project_of(make_project, "duckdb", **off)
    land(project, log())
    project.build_with_facts(*DRIFT_MARTS)
    project.set_vars({"mlmon_monitors": MONITORS, "mlmon_lookback_days": 0})
    project.build_for(MART)
    assert differences(project.read(MART), turned.read(MART)) == []


def test_off_by_default_nothing_is_built(make_project: Any, engine: Engine) -> None:
    # A word of the configuration switches nothing on: only the key does.
    project = project_of(make_project, engine, silent=monitor(features={"multivariate": "numeric"}))
    assert project.build("--select", MART, *AREA).statuses == {}


def test_a_warehouse_without_python_models_says_so_on_every_row(make_project: Any) -> None:
    project = project_of(make_project, "postgres", asking=monitor(multivariate=True))
    land(project, log(last=FIRST + pd.Timedelta(days=24)))
    built = project.build_for(MART)
    assert not set(AREA) & set(built.statuses)
    joint = project.read(MART)
    assert len(joint) == 24
    assert set(joint["status"]) == {"not_judged"}
    assert set(joint["reason_code"]) == {"needs_python"}
    assert joint["value"].isna().all()
