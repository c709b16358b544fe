"""Reference tables that change: whatever happens to one, the next run ends where a build of everything anew does.

A table is always read whole, so nothing of it is too old to be seen, and what it lost is gone. Nothing of the log
freezes, goes or is searched for because of it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from support.compare import differences
from support.dbt_project import DRIFT_MARTS, DbtProject
from support.warehouses import Engine

START = pd.Timestamp("2026-02-02")
DAYS = 10
TIMES = {"predicted_at": "timestamp", "loaded_at": "timestamp", "labeled_at": "timestamp"}
MARTS = [
    *DRIFT_MARTS,
    "fct_mlmon__quality_checks",
    "fct_mlmon__performance",
    "fct_mlmon__degradation",
    "fct_mlmon__label_drift",
    "dim_mlmon__monitors",
]


def rows(first: int, n_days: int, *, seed: int = 0) -> pd.DataFrame:
    """Twelve labelled rows a day, from the day `first` after START on."""
    random = np.random.default_rng([seed, n_days])
    n = 12 * n_days
    day = np.repeat(np.arange(first, first + n_days), 12)
    score = random.random(n).round(3)
    return pd.DataFrame(
        {
            "model_version": np.where(np.arange(n) % 3 == 0, "v2", "v1"),
            "predicted_at": START
            + pd.to_timedelta(day, unit="D")
            + pd.to_timedelta(np.tile(np.arange(12), n_days), unit="h"),
            "prediction": (score > 0.5).astype(int),
            "score": score,
            "x": np.where(random.random(n) < 0.1, np.nan, random.normal(size=n).round(3)),
            "colour": random.choice(["red", "green", "blue"], n),
            "region": random.choice(["east", "west"], n),
            "label": random.integers(0, 2, n),
        }
    )


def changed_once(table: pd.DataFrame) -> pd.DataFrame:
    """One value of one row differs, in a day of which nothing else does."""
    return table.assign(colour=table["colour"].where(table.index != 40, "violet"))


def named(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(request_id=[f"reference-{i}" for i in table.index])


VERSIONED = rows(-60, 12)
WHOLE = VERSIONED.drop(columns="model_version")
TIMELESS = WHOLE.drop(columns="predicted_at")
LATE = rows(40, 12).drop(columns="model_version")
# Each table as the first run finds it, and the second.
TABLES = {
    "replaced": (WHOLE, rows(-30, 9, seed=1).drop(columns="model_version")),
    "shortened": (WHOLE, WHOLE[WHOLE["predicted_at"] >= START - pd.Timedelta(days=55)]),
    "emptied": (WHOLE, WHOLE.head(0)),
    "one_value": (WHOLE, changed_once(WHOLE)),
    "one_label": (WHOLE, WHOLE.assign(label=WHOLE["label"].where(WHOLE.index != 40, 1 - WHOLE["label"]))),
    "with_ids": (named(WHOLE), named(WHOLE).drop(index=range(24))),
    "timeless": (TIMELESS, changed_once(TIMELESS)),
    # Of some rows the time is not known.
    "half_timeless": (
        WHOLE,
        WHOLE.assign(predicted_at=WHOLE["predicted_at"].where(WHOLE.index % 2 == 0)),
    ),
    "later": (LATE, LATE.drop(index=range(36))),
    # A version's own rows come, and go again.
    "versioned": (VERSIONED[VERSIONED["model_version"] == "v1"], VERSIONED),
    "unversioned": (VERSIONED, VERSIONED[VERSIONED["model_version"] == "v1"]),
    "untouched": (WHOLE, WHOLE),
}  # fmt: skip


def log() -> tuple[pd.DataFrame, pd.DataFrame]:
    """What every monitor watches: both versions serve on every day."""
    predictions = rows(0, DAYS, seed=2)
    predictions = predictions.assign(
        request_id=[f"r{i}" for i in predictions.index],
        loaded_at=predictions["predicted_at"] + pd.Timedelta(minutes=1),
    )
    labels = predictions[["request_id", "label"]].assign(
        labeled_at=predictions["predicted_at"] + pd.Timedelta(hours=2),
        loaded_at=predictions["predicted_at"] + pd.Timedelta(hours=3),
    )
    return predictions.drop(columns="label"), labels


def load(project: DbtProject, state: int) -> None:
    predictions, labels = log()
    types = {**TIMES, "x": "double precision", "score": "double precision", "prediction": "bigint",
             "label": "bigint"}  # fmt: skip
    for name, frame in {"predictions": predictions, "labels": labels}.items():
        project.warehouse.load(name, frame, types=types)
    for name, states in TABLES.items():
        project.warehouse.load(
            f"{name}_reference", states[state].reset_index(drop=True), types=types
        )


def tables_of(project: DbtProject) -> dict[str, pd.DataFrame]:
    return {name: project.read(name) for name in MARTS}


@pytest.fixture(scope="module")
def project(make_project: Any, engine: Engine) -> DbtProject:
    monitors = {
        name: {
            "task": "binary",
            "predictions": {"source": ["logs", "predictions"]},
            "labels": {"source": ["logs", "labels"]},
            "reference": {"source": ["logs", f"{name}_reference"]},
            "features": {"x": "numeric", "colour": "categorical"},
            "segments": ["region"],
            "spans": ["1d", "3d"],
            "label_horizon_days": 2,
        }
        for name in TABLES
    }
    made: DbtProject = make_project(
        engine,
        vars={"mlmon_monitors": monitors, "mlmon_lookback_days": 3},
        sources={"logs": ["predictions", "labels", *(f"{name}_reference" for name in TABLES)]},
    )
    load(made, 0)
    made.build_with_facts(*MARTS)
    return made


@pytest.fixture(scope="module")
def ledgers(project: DbtProject) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The ledger before and after the tables changed."""
    before = project.read("int_mlmon__windows")
    load(project, 1)
    project.build_with_facts(*MARTS)
    return before, project.read("int_mlmon__windows")


@pytest.fixture(scope="module")
def ends(
    project: DbtProject, ledgers: tuple[pd.DataFrame, pd.DataFrame]
) -> tuple[dict[str, pd.DataFrame], dict[str, pd.DataFrame]]:
    """The marts after the second run, and after a full refresh."""
    assert len(ledgers[1]) > 0
    lived = tables_of(project)
    project.build("--full-refresh", "--select", *(f"+{name}" for name in MARTS))
    return lived, tables_of(project)


def test_nothing_of_the_log_changes_with_a_reference(
    ledgers: tuple[pd.DataFrame, pd.DataFrame],
) -> None:
    before, after = (found[found["source"] == "log"].reset_index(drop=True) for found in ledgers)
    assert before["n_predictions"].sum() == 12 * DAYS * len(TABLES)
    assert differences(before, after) == []


def test_the_ledger_knows_the_rows_that_a_table_has(
    ledgers: tuple[pd.DataFrame, pd.DataFrame],
) -> None:
    for state, ledger in enumerate(ledgers):
        of_tables = ledger[ledger["source"] == "reference"]
        found = of_tables.groupby("monitor")["n_predictions"].sum().to_dict()
        assert found == {name: len(states[state]) for name, states in TABLES.items()}
    assert of_tables["model_version"].isna().all()
    timeless = of_tables[of_tables["monitor"] == "timeless"]
    assert list(timeless["window_index"]) == [-1]
    assert timeless["window_start"].isna().all()


def test_a_window_that_a_table_lost_has_no_facts(
    project: DbtProject, ledgers: tuple[pd.DataFrame, pd.DataFrame]
) -> None:
    filled = ledgers[1].query("n_predictions > 0")["window_key"]
    for facts in ("int_mlmon__column_counts", "int_mlmon__labelled_predictions"):
        assert set(project.read(facts)["window_key"]) <= set(filled), facts


@pytest.mark.parametrize("name", TABLES)
def test_the_end_is_that_of_a_full_refresh(
    ends: tuple[dict[str, pd.DataFrame], dict[str, pd.DataFrame]], name: str
) -> None:
    unequal = {}
    for mart, lived in ends[0].items():
        left, right = (
            found[found["monitor"] == name].reset_index(drop=True)
            for found in (lived, ends[1][mart])
        )
        # An emptied reference leaves nothing to compare the shares of bins with.
        assert len(left) > 0 or name == "emptied", mart
        if found := differences(left, right):
            unequal[mart] = found
    assert unequal == {}


def test_the_next_run_has_nothing_to_do(
    project: DbtProject, ends: tuple[dict[str, pd.DataFrame], dict[str, pd.DataFrame]]
) -> None:
    assert len(ends[0]) == len(MARTS)
    project.build_with_facts(*MARTS)
    project.build_with_facts(*MARTS)
    assert len(project.read("int_mlmon__stale_windows")) == 0
