"""`mlmon run` as a schedule starts it: the gate, dbt and the alerts, each in turn, and one run at a time."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mlmon.errors import FAILED, OK, TRY_AGAIN, TryAgainError
from mlmon.last_build.record import read_record, what_changed
from mlmon.profile import read_target
from mlmon.run_lock import run_lock
from support.dbt_project import DbtProject
from support.warehouses import Engine

START = pd.Timestamp("2026-02-02")
NOW = "2026-02-09T02:00:00"
MONITOR = {
    "task": "binary",
    "predictions": {"source": ["logs", "predictions"]},
    "reference": {"first_days": 3},
    "columns": {"score": None, "latency_ms": None},
    "success_outcomes": ["ok"],
    "features": {"x": {"kind": "numeric", "min": 0, "max": 100}},
    "spans": ["1d"],
}


def log(n_days: int) -> pd.DataFrame:
    """A request every ten minutes; on the last day half of them fail."""
    n = n_days * 144
    at = pd.Series(START + pd.to_timedelta(np.arange(n) * 10, unit="min")).astype("datetime64[us]")
    fails = (np.arange(n) >= n - 144) & (np.arange(n) % 2 == 0)
    return pd.DataFrame(
        {
            "request_id": [f"r{i}" for i in range(n)],
            "model_version": "v1",
            "predicted_at": at,
            "loaded_at": at + pd.Timedelta(hours=2),
            "prediction": np.arange(n) % 2,
            "outcome": np.where(fails, "error", "ok"),
            "x": (np.arange(n) % 7).astype(float),
        }
    )


@pytest.fixture(scope="module")
def project(make_project: Any) -> DbtProject:
    made: DbtProject = make_project(
        "duckdb", vars={"mlmon_monitors": {"shop": MONITOR}}, sources={"logs": ["predictions"]}
    )
    made.warehouse.load("predictions", log(7))
    return made


def command(
    project: DbtProject, *arguments: str, select: str | None = "+fct_mlmon__alert_states"
) -> list[str]:
    where = ["--project-dir", str(project.directory), "--profiles-dir", str(project.directory)]
    what = [*(["--select", select] if select else []), "--now", NOW]
    return [str(Path(sys.executable).parent / "mlmon"), "run", *where, *what, *arguments]


def steps(errors: str) -> list[tuple[str, int]]:
    """The steps that ended, with their exit codes, from the lines of the log."""
    lines = [json.loads(line) for line in errors.splitlines() if line.startswith("{")]
    assert len({line["run_id"] for line in lines}) == 1
    return [(line["step"], line["exit_code"]) for line in lines if line["event"] == "ends"]


def test_what_landed_is_checked_and_built_and_people_are_told_while_a_second_run_waits(
    project: DbtProject,
) -> None:
    first = subprocess.Popen(
        command(project), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert first.stderr is not None
    begun = first.stderr.readline()
    assert json.loads(begun)["step"] == "gate"
    second = subprocess.run(command(project), capture_output=True, text=True, check=False)
    assert second.returncode == TRY_AGAIN, second.stderr
    assert "try again when it is done" in second.stderr
    told, errors = first.communicate()
    assert first.returncode == OK, told + errors
    assert steps(begun + errors) == [("gate", OK), ("dbt build", OK), ("alerts", OK)]
    assert "shop predictions: 1,008 new rows" in told
    assert "error_rate" in told
    states = project.read("fct_mlmon__alert_states").set_index("rule_id")
    assert states.at["error_rate", "state"] == "firing"


def test_rows_that_break_their_contract_are_not_read_and_people_are_told_all_the_same(
    project: DbtProject,
) -> None:
    """Runs after the one above, on its tables."""
    before = project.read("fct_mlmon__windows")
    rows = log(8)
    rows.loc[rows.index >= 7 * 144, "request_id"] = None
    project.warehouse.load("predictions", rows)
    done = subprocess.run(command(project), capture_output=True, text=True, check=False)
    assert done.returncode == FAILED, done.stderr
    assert steps(done.stderr) == [("gate", FAILED), ("alerts", OK)]
    assert "request_id" in done.stdout
    assert len(project.read("fct_mlmon__windows")) == len(before)


def test_a_run_after_a_complete_one_starts_dbt_only_where_something_is_new(
    project: DbtProject,
) -> None:
    """Runs after the ones above. A run of a part, as theirs, is no complete one."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        told = command(project, *arguments, select=None)
        done = subprocess.run(told, capture_output=True, text=True, check=False)
        assert done.returncode == OK, done.stdout + done.stderr
        return done

    project.warehouse.load("predictions", log(7))
    assert steps(run().stderr) == [("gate", OK), ("dbt build", OK), ("alerts", OK)]
    artifact = project.directory / "target" / "run_results.json"
    built_at = artifact.stat().st_mtime_ns
    again = run()
    assert steps(again.stderr) == [("alerts", OK)]
    assert "Nothing new since the build of" in again.stdout
    assert artifact.stat().st_mtime_ns == built_at
    # A build by hand leaves other tables, though every row of the log is as it was.
    project.run("run", "--select", "stg_mlmon__labels").require()
    target = read_target(project.directory, project.directory)
    mark = read_record(target)
    assert mark is not None
    assert what_changed(target, mark, mark.state, gate=True) == (
        "the tables are not as the last run left them"
    )


def test_one_run_at_a_time_holds_a_warehouse(make_project: Any, engine: Engine) -> None:
    made: DbtProject = make_project(engine)
    target = read_target(made.directory, made.directory)
    busy = pytest.raises(TryAgainError, match="Another `mlmon run` works on this warehouse")
    with run_lock(target), busy, run_lock(target):
        pass
    with run_lock(target):
        pass
