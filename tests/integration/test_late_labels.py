"""Labels that come over weeks: what is judged meanwhile, and that runs on the way end as a single one at the end."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from support.dbt_project import DbtProject
from support.histories import assert_equal
from support.warehouses import Engine

START = pd.Timestamp("2026-01-05")
HORIZON_DAYS = 3
DAYS, PER_DAY = 34, 60
TIMES = {"predicted_at": "timestamp", "loaded_at": "timestamp", "labeled_at": "timestamp"}
# From this day on only positive labels come in time: a feed that stalls for one class.
STALL = 22
TABLES = [f"{task}_{log}" for task in ("binary", "regression") for log in ("predictions", "labels")]


def drawn(task: str) -> pd.DataFrame:
    n = DAYS * PER_DAY
    random = np.random.default_rng(21)
    x = np.round(random.normal(size=n), 3)
    day = np.repeat(np.arange(DAYS), PER_DAY)
    predicted_at = START + pd.to_timedelta(day, unit="D")
    predicted_at += pd.to_timedelta(np.tile(np.arange(PER_DAY) * 600, DAYS), unit="s")
    strength = x + random.normal(size=n)
    label = (strength > 0).astype(int) if task == "binary" else np.round(strength, 3)
    delay = random.choice([0.5, 2.0, 2.9], size=n)
    delay[(day >= STALL) & (strength <= 0)] = 9
    return pd.DataFrame(
        {
            "request_id": [f"r{i}" for i in range(n)],
            "model_version": np.where(day < 25, "v1", "v2"),
            "predicted_at": predicted_at,
            "loaded_at": predicted_at + pd.Timedelta(minutes=1),
            "prediction": (x > 0).astype(int) if task == "binary" else x,
            "x": x,
            "colour": random.choice(["red", "green", None], size=n),
            "label": label,
            "labeled_at": predicted_at + pd.to_timedelta(delay, unit="D"),
        }
    )


def land(project: DbtProject, day: float) -> None:
    """The logs as they stood on that day, with a correction of a label by its end."""
    now = START + pd.Timedelta(days=day)
    for task in ("binary", "regression"):
        rows = drawn(task)
        predictions = rows[rows["loaded_at"] < now].drop(columns=["label", "labeled_at"])
        labels = rows[["request_id", "label", "labeled_at"]].assign(
            loaded_at=rows["labeled_at"] + pd.Timedelta(minutes=5)
        )
        corrected = labels.head(40).assign(
            label=1 - labels["label"].head(40),
            loaded_at=START + pd.Timedelta(days=DAYS - 4),
        )
        labels = pd.concat([labels, corrected])
        project.warehouse.load(f"{task}_predictions", predictions, types=TIMES)
        project.warehouse.load(f"{task}_labels", labels[labels["loaded_at"] < now], types=TIMES)


def make(make_project: Any, engine: Engine) -> DbtProject:
    monitors = {
        task: {
            "task": task,
            "predictions": {"source": ["logs", f"{task}_predictions"]},
            "labels": {"source": ["logs", f"{task}_labels"]},
            "reference": {"first_days": 4},
            "columns": {"score": None, "latency_ms": None, "outcome": None},
            "features": {"x": "numeric", "colour": "categorical"},
            "spans": ["1d", "4d"],
            "label_horizon_days": HORIZON_DAYS,
            "label_ages_days": [1],
            "areas": ["association"],
        }
        for task in ("binary", "regression")
    }
    project: DbtProject = make_project(
        engine, vars={"mlmon_monitors": monitors}, sources={"logs": TABLES}
    )
    return project


def build(project: DbtProject) -> None:
    project.build_with_facts(
        "fct_mlmon__label_drift", "fct_mlmon__label_association", "fct_mlmon__degradation"
    )


@pytest.fixture(scope="module")
def lived(make_project: Any, engine: Engine) -> DbtProject:
    """Built every few days, as a schedule would."""
    project = make(make_project, engine)
    for day in (8.5, 27.2, DAYS + 0.1):
        land(project, day)
        build(project)
    return project


def test_runs_on_the_way_end_as_one_full_refresh(
    make_project: Any, engine: Engine, lived: DbtProject
) -> None:
    fresh = make(make_project, engine)
    land(fresh, DAYS + 0.1)
    build(fresh)
    assert_equal(lived, fresh)
    assert (fresh.read("fct_mlmon__label_association")["value"].notna()).sum() > 100


def test_a_second_run_reads_no_window_again(lived: DbtProject) -> None:
    before = lived.read("fct_mlmon__label_association")
    build(lived)
    assert len(lived.read("int_mlmon__stale_windows").query("facts == 'mature_labels'")) == 0
    assert len(lived.read("int_mlmon__stale_association_ends")) == 0
    assert len(lived.read("fct_mlmon__label_association")) == len(before)


def test_labels_of_which_one_class_is_late_are_no_drift(lived: DbtProject) -> None:
    rows = lived.read("fct_mlmon__label_drift")
    rows = rows[rows["is_deciding"] & rows["model_version"].eq("v1") & rows["span_windows"].eq(1)]
    days = (pd.to_datetime(rows["window_start"]) - START).dt.days
    stalled = rows[days >= STALL]
    # What has come looks like a great change of the labels: all of them are positive.
    assert (stalled["value"] > 0.25).all()
    assert set(stalled["reason_code"]) == {"labels_late"}
    assert set(stalled["status"]) == {"insufficient_data"}
    assert stalled["reason"].str.contains("are usual").all()
    assert "labels_late" not in set(rows.loc[days < STALL, "reason_code"])
    found = lived.read("fct_mlmon__label_association")
    found = found[found["model_version"].eq("v1") & found["method"].ne("mutual_information")]
    late = pd.to_datetime(found["window_start"]) >= START + pd.Timedelta(days=STALL - 1)
    assert set(found.loc[late, "status"]) == {"insufficient_data"}
    assert "labels_late" in set(found.loc[late, "reason_code"])
