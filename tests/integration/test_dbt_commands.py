"""What each of dbt's commands does with the package: on a database without any of its tables, and on one with all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from support.compare import differences
from support.dbt_project import DbtProject
from support.warehouses import INTERNALS, SCHEMA, Engine

N_DAYS = 8
MONITOR = {
    "task": "binary",
    "predictions": {"source": ["logs", "predictions"]},
    "labels": {"source": ["logs", "labels"]},
    "columns": {"latency_ms": None, "outcome": None},
    "reference": {"first_days": 3},
    "features": {"x": "numeric", "colour": "categorical"},
    "spans": ["1d", "3d"],
    "label_ages_days": [1],
}
# What lasts, because no later run could make it again.
HISTORY = "int_mlmon__schema_history"


def land(project: DbtProject, n_days: int = N_DAYS) -> None:
    """Thirty predictions a day, each with a label a day later."""
    draws = np.random.default_rng(7)
    n = 30 * N_DAYS
    at = pd.Timestamp("2026-03-01") + pd.to_timedelta(np.arange(n) * 48, unit="min")
    score = draws.uniform(size=n).round(4)
    rows = pd.DataFrame(
        {
            "request_id": [f"r{i}" for i in range(n)],
            "model_version": "v1",
            "predicted_at": at,
            "loaded_at": at + pd.Timedelta(minutes=5),
            "score": score,
            "prediction": (score > 0.5).astype(int),
            "x": draws.normal(size=n).round(4),
            "colour": draws.choice(["red", "blue"], n),
        }
    ).iloc[: 30 * n_days]
    labelled_at = rows["predicted_at"] + pd.Timedelta(hours=20)
    labels = pd.DataFrame(
        {
            "request_id": rows["request_id"],
            "label": (draws.uniform(size=len(rows)) < rows["score"]).astype(int),
            "labeled_at": labelled_at,
            "loaded_at": labelled_at + pd.Timedelta(minutes=5),
        }
    )
    project.warehouse.load("predictions", rows)
    project.warehouse.load("labels", labels)


@pytest.fixture(scope="module")
def project(make_project: Any, engine: Engine) -> DbtProject:
    made: DbtProject = make_project(
        engine,
        vars={"mlmon_monitors": {"m": MONITOR}, "mlmon_lookback_days": 0},
        sources={"logs": ["predictions", "labels"]},
    )
    land(made, N_DAYS - 1)
    return made


def manifest(project: DbtProject) -> dict[str, Any]:
    project.run("parse", "--write-json").require()
    text = (project.directory / "target" / "manifest.json").read_text()
    return json.loads(text)["nodes"]  # type: ignore[no-any-return]


def contents(project: DbtProject, kinds: tuple[str, ...]) -> dict[str, pd.DataFrame]:
    """The rows of every model that is made in one of these ways."""
    return {
        node["name"]: project.read(node["name"])
        for node in manifest(project).values()
        if node["config"]["materialized"] in kinds and node["resource_type"] == "model"
    }


def marts(project: DbtProject) -> dict[str, pd.DataFrame]:
    """Every mart, but for what reads a clock."""
    return {
        name: project.read(name)
        for name in project.warehouse.tables(SCHEMA)
        if name.startswith(("fct_mlmon__", "dim_mlmon__")) and not name.endswith("_now")
    }


def changed(before: dict[str, pd.DataFrame], after: dict[str, pd.DataFrame]) -> dict[str, Any]:
    assert set(before) == set(after)
    return {name: found for name in before if (found := differences(before[name], after[name]))}


# In this order: the tests of a fresh database come first, and one of them fills it.


def test_ls_and_compile_need_no_table_of_ours(project: DbtProject) -> None:
    project.run("ls").require()
    project.run("compile").require()
    assert project.warehouse.tables() == []


def test_a_run_without_seeds_says_what_to_run(project: DbtProject) -> None:
    failed = project.run("run", "--write-json")
    assert not failed.ok
    told = [text for name, text in failed.messages.items() if failed.statuses[name] == "error"]
    assert told
    for text in told:
        assert "fix: run `dbt build`, which loads the seeds, or `dbt seed` before" in text, text


def test_a_retry_finishes_a_run_once_the_seeds_are_there(project: DbtProject) -> None:
    project.run("seed").require()
    retried = project.run("retry").require()
    assert retried.statuses
    assert set(retried.statuses.values()) == {"success"}
    assert len(project.read("fct_mlmon__windows")) > 0


def test_build_empty_and_run_empty_work_on_a_fresh_database(project: DbtProject) -> None:
    project.warehouse.clear()
    land(project, N_DAYS - 1)
    project.run("build", "--empty").require()
    assert len(project.read("fct_mlmon__windows")) == 0
    project.run("run", "--empty").require()


def test_a_build_after_an_empty_one_is_a_first_build(project: DbtProject) -> None:
    project.build()
    after_empty = marts(project)
    project.warehouse.clear()
    land(project, N_DAYS - 1)
    project.build()
    assert len(after_empty["fct_mlmon__drift"]) > 0
    assert changed(after_empty, marts(project)) == {}


def test_docs_compile_and_ls_read_and_change_nothing(project: DbtProject) -> None:
    before = marts(project)
    for command in (["docs", "generate"], ["compile"], ["ls"]):
        project.run(*command).require()
    assert changed(before, marts(project)) == {}


@pytest.mark.parametrize("command", ["build", "run"])
def test_empty_changes_no_incremental_table_and_no_history(
    project: DbtProject, command: str
) -> None:
    built = marts(project)
    kept = contents(project, ("incremental",))
    kept[HISTORY] = project.read(HISTORY)
    assert len(kept["int_mlmon__windows"]) > 0
    project.run(command, "--empty").require()
    after = contents(project, ("incremental",))
    after[HISTORY] = project.read(HISTORY)
    assert changed(kept, after) == {}
    project.build()
    assert changed(built, marts(project)) == {}


def test_a_new_day_after_an_empty_build_ends_as_a_full_one(project: DbtProject) -> None:
    project.run("build", "--empty").require()
    land(project)
    project.build()
    lived = marts(project)
    project.build("--full-refresh")
    assert changed(lived, marts(project)) == {}


def test_a_clone_shows_the_same_marts_and_builds_on(project: DbtProject, tmp_path: Path) -> None:
    built = marts(project)
    # Where a warehouse cannot copy tables, a clone is a view, and dbt makes none of a Python model.
    python = [
        node["name"] for node in manifest(project).values() if node.get("language") == "python"
    ]
    (tmp_path / "manifest.json").write_text(
        (project.directory / "target" / "manifest.json").read_text()
    )
    profile = project.warehouse.profile() | {"schema": "copied"}
    project.write(
        "profiles.yml",
        yaml.safe_dump({"consumer": {"target": "test", "outputs": {"test": profile}}}),
    )
    project.run(
        "clone", "--state", str(tmp_path), *(["--exclude", *python] if python else [])
    ).require()

    def copied() -> dict[str, pd.DataFrame]:
        return {mart: project.warehouse.read(mart, "copied") for mart in built}

    assert "int_mlmon__windows" in project.warehouse.tables("copied_mlmon_internals")
    assert changed(built, copied()) == {}
    # dbt loads no seed over a view.
    project.run("run").require()
    assert changed(built, copied()) == {}
    assert changed(built, marts(project)) == {}


def test_the_packages_own_tables_lie_beside_the_marts(project: DbtProject) -> None:
    for kind, schema in (("fct", SCHEMA), ("dim", SCHEMA), ("int", INTERNALS), ("stg", INTERNALS)):
        assert [name for name in project.warehouse.tables(schema) if name.startswith(kind)], kind
    outside = [one for one in project.warehouse.tables(SCHEMA) if one.startswith(("int_", "stg_"))]
    assert outside == []
    assert "alert_rules" in project.warehouse.tables(SCHEMA)
