"""Drift verdicts at the edges: no false alarm where nothing changed, and none missed where everything did."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from support.dbt_project import DbtProject
from support.warehouses import Engine

N = 4000
RANDOM = np.random.default_rng(5)
FLAT = [f"c{i}" for i in range(5000)]
WEIGHTS = 1 / np.arange(1, 5001)
Sides = tuple[Any, Any]

# What each column holds in the reference and now, and what its verdict should be.
NUMERIC: dict[str, tuple[Sides, str]] = {
    "same": ((RANDOM.normal(size=N), RANDOM.normal(size=N)), "ok"),
    "constant": ((np.full(N, 7.0), np.full(N, 7.0)), "ok"),
    "constant_up": ((np.full(N, 7.0), np.full(N, 8.0)), "critical"),
    "constant_down": ((np.full(N, 7.0), np.full(N, 6.0)), "critical"),
    "all_missing_now": ((RANDOM.normal(size=N), np.full(N, np.nan)), "critical"),
    "all_missing_before": ((np.full(N, np.nan), RANDOM.normal(size=N)), "critical"),
    "all_missing": ((np.full(N, np.nan), np.full(N, np.nan)), "ok"),
    "huge": ((RANDOM.normal(size=N) * 1e300, RANDOM.normal(size=N) * 1e300), "ok"),
    "huge_shift": (
        (RANDOM.normal(size=N) * 1e300, (RANDOM.normal(size=N) + 1) * 1e300),
        "critical",
    ),
    "infinite": (
        (RANDOM.normal(size=N), np.where(RANDOM.random(N) < 0.5, np.inf, -np.inf)),
        "critical",
    ),
    "codes": (
        (RANDOM.integers(0, 4, N).astype(float), RANDOM.integers(0, 4, N).astype(float)),
        "ok",
    ),
    "codes_moved": (
        (RANDOM.integers(0, 4, N).astype(float), RANDOM.integers(1, 5, N).astype(float)),
        "critical",
    ),
}
CATEGORICAL: dict[str, tuple[Sides, str]] = {
    "flat_5000": ((RANDOM.choice(FLAT, N), RANDOM.choice(FLAT, N)), "ok"),
    "zipf_5000": (
        tuple(RANDOM.choice(FLAT, N, p=WEIGHTS / WEIGHTS.sum()) for _ in range(2)),  # type: ignore[dict-item]
        "ok",
    ),
    "unseen_only": ((RANDOM.choice(["a", "b"], N), RANDOM.choice(["y", "z"], N)), "critical"),
    "unseen_of_many": ((RANDOM.choice(FLAT, N), np.full(N, "new")), "critical"),
    "flag": ((RANDOM.random(N) < 0.3, RANDOM.random(N) < 0.3), "ok"),
    "flag_turned": ((RANDOM.random(N) < 0.3, RANDOM.random(N) < 0.7), "critical"),
    # A number that came as text: its categories are others to the last.
    "kind_changed": (
        (RANDOM.integers(0, 5, N).astype(str), RANDOM.normal(size=N).astype(str)),
        "critical",
    ),
}
COLUMNS = NUMERIC | CATEGORICAL


def side(which: int, n: int, day: str, prefix: str) -> pd.DataFrame:
    """The first n rows of the reference (0) or of now (1)."""
    return pd.DataFrame(
        {
            "request_id": [f"{prefix}{i}" for i in range(n)],
            "predicted_at": pd.Timestamp(day),
            "loaded_at": pd.Timestamp("2026-02-09"),
            "prediction": 1,
            **{name: sides[which][:n] for name, (sides, _) in COLUMNS.items()},
        }
    )


@pytest.fixture(scope="module")
def drift(make_project: Any, engine: Engine) -> pd.DataFrame:
    shared: dict[str, Any] = {
        "task": "binary",
        "columns": {"score": None, "latency_ms": None, "outcome": None, "model_version": None},
        "features": {
            **dict.fromkeys(NUMERIC, "numeric"),
            **dict.fromkeys(CATEGORICAL, "categorical"),
        },
        "drift_methods": "all",
        "spans": ["1d"],
    }
    few = {"normal": "numeric", "colour": "categorical"}
    project: DbtProject = make_project(
        engine,
        vars={
            "mlmon_monitors": {
                "many": {
                    **shared,
                    "predictions": {"source": ["logs", "log"]},
                    "reference": {"source": ["logs", "reference"]},
                },
                "tiny_reference": {
                    **shared,
                    "features": few,
                    "predictions": {"source": ["logs", "few"]},
                    "reference": {"source": ["logs", "five"]},
                },
            }
        },
        sources={"logs": ["log", "reference", "few", "five"]},
    )
    # The log's first day holds one row, its second all.
    project.warehouse.load(
        "log",
        pd.concat([side(1, 1, "2026-02-02 10:00", "one"), side(1, N, "2026-02-03 10:00", "all")]),
    )
    project.warehouse.load("reference", side(0, N, "2026-01-01 10:00", "r"))
    five = side(0, 5, "2026-01-01 10:00", "r").assign(normal=range(5), colour=list("abcde"))
    few_rows = side(1, 3, "2026-02-03 10:00", "f").assign(normal=range(3), colour=list("aax"))
    project.warehouse.load(
        "five", five[["request_id", "predicted_at", "loaded_at", "prediction", "normal", "colour"]]
    )
    project.warehouse.load(
        "few",
        few_rows[["request_id", "predicted_at", "loaded_at", "prediction", "normal", "colour"]],
    )
    project.build("--select", "+fct_mlmon__dataset_drift").require()
    found = project.read("fct_mlmon__column_drift")
    return found.set_index(["monitor", "window_date", "column_name"]).sort_index()


def test_verdicts(drift: pd.DataFrame) -> None:
    rows = drift.loc["many"].loc[pd.Timestamp("2026-02-03")]
    found = {name: str(rows.at[name, "status"]) for name in COLUMNS}
    assert found == {name: verdict for name, (_, verdict) in COLUMNS.items()}


def test_one_row_is_too_little(drift: pd.DataFrame) -> None:
    rows = drift.loc["many"].loc[pd.Timestamp("2026-02-02")]
    assert set(rows["status"]) <= {"insufficient_data", "ok"}
    assert (rows["n_current"] == 1).all()


def test_fewer_reference_rows_than_bins(drift: pd.DataFrame) -> None:
    rows = drift.loc["tiny_reference"].loc[pd.Timestamp("2026-02-03")]
    rows = rows[rows["column_role"] == "feature"]
    assert set(rows["status"]) == {"insufficient_data"}
    assert set(rows["n_reference"]) == {5}
