"""Replaying a time: the tables that the logs of that time give, in a schema of their own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from support.compare import differences
from support.dbt_project import DbtProject
from support.warehouses import Engine

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "delayed_labels"
CUT_OFFS = ("2026-03-08", "2026-03-18", "2026-04-10")
MARTS = (
    "fct_mlmon__performance",
    "fct_mlmon__label_delays",
    "fct_mlmon__windows",
    "fct_mlmon__degradation",
)


def settings(cut_off: str | None) -> dict[str, Any]:
    monitor = {
        "task": "binary",
        "predictions": {"source": ["logs", "predictions"]},
        "labels": {"source": ["logs", "labels"]},
        "columns": {"latency_ms": None},
        "reference": {"first_days": 3},
        "features": {},
        "success_outcomes": ["ok"],
        "spans": ["1d", "3d"],
        "label_horizon_days": 14,
        "label_ages_days": [1, 3, 7],
    }
    return {
        "mlmon_monitors": {"m": monitor},
        "mlmon_lookback_days": 0,
        **({"mlmon_as_of": cut_off} if cut_off else {}),
    }


def load(project: DbtProject, until: str | None = None) -> None:
    for name in ("predictions", "labels"):
        rows = pd.read_parquet(GOLDEN / f"{name}.parquet")
        if until:
            rows = rows[rows["loaded_at"] <= pd.Timestamp(until)]
        project.warehouse.load(name, rows)


def tables(project: DbtProject) -> dict[str, pd.DataFrame]:
    return {mart: project.read(mart) for mart in MARTS}


def build(project: DbtProject, *arguments: str) -> dict[str, pd.DataFrame]:
    project.build("--select", *(f"+{mart}" for mart in MARTS), *arguments)
    return tables(project)


def test_a_replay_is_what_the_logs_of_that_time_give(make_project: Any, engine: Engine) -> None:
    """Forward day by day in one schema, against a new build of logs that end then."""
    replayed: DbtProject = make_project(
        engine, vars=settings(CUT_OFFS[0]), sources={"logs": ["predictions", "labels"]}
    )
    load(replayed)
    cut: DbtProject = make_project(
        engine, vars=settings(None), sources={"logs": ["predictions", "labels"]}
    )
    for cut_off in CUT_OFFS:
        replayed.set_vars(settings(cut_off))
        found = build(replayed)
        load(cut, cut_off)
        wanted = build(cut, "--full-refresh")
        for mart in MARTS:
            assert len(wanted[mart]) > 5
            assert differences(found[mart], wanted[mart]) == [], (cut_off, mart)

    # Back in time only from the ground up.
    replayed.set_vars(settings(CUT_OFFS[0]))
    refused = replayed.run("build")
    assert not refused.ok
    assert "a later time, or a schema of its own" in refused.text
    again = build(replayed, "--full-refresh")
    load(cut, CUT_OFFS[0])
    wanted = build(cut, "--full-refresh")
    assert [differences(again[mart], wanted[mart]) for mart in MARTS] == [[]] * len(MARTS)

    # Never over the running monitoring.
    cut.set_vars(settings(CUT_OFFS[0]))
    refused = cut.run("build", "--full-refresh")
    assert not refused.ok
    assert "holds the tables of the running monitoring" in refused.text
    assert [differences(wanted[mart], cut.read(mart)) for mart in MARTS] == [[]] * len(MARTS)
