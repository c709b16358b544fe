"""Nothing of ours leaks into a project that installs the package and configures nothing."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from support.dbt_project import ROOT, DbtProject, DbtResult
from support.warehouses import SCHEMA, Engine

# What a consumer gets, by design: tables to tune, and one of reference.
SEEDS = {
    "alert_rules",
    "degradation_thresholds",
    "drift_thresholds",
    "mlmon_metrics",
    "runbooks",
}


@pytest.fixture(scope="module")
def project(make_project: Any, engine: Engine) -> DbtProject:
    return make_project(engine, files={"models/own.sql": "select 1 as a"})


@pytest.fixture(scope="module")
def built(project: DbtProject) -> DbtResult:
    return project.run("build").require()


def test_parsing_says_nothing(project: DbtProject) -> None:
    parsed = project.run("parse", "--show-all-deprecations", "--no-partial-parse").require()
    assert parsed.warnings == []


def test_a_build_runs_our_models_and_seeds_and_the_consumers_own_and_nothing_else(
    built: DbtResult,
) -> None:
    assert set(built.statuses.values()) == {"success"}
    assert built.warnings == []
    own = {name for name in built.statuses if "mlmon__" not in name}
    assert own == SEEDS | {"own"}


def test_no_test_hook_exposure_metric_or_macro_override_comes_along(project: DbtProject) -> None:
    project.run("parse", "--write-json").require()
    manifest = json.loads((project.directory / "target" / "manifest.json").read_text())
    kinds = {node["resource_type"] for node in manifest["nodes"].values()}
    assert kinds == {"model", "seed"}
    for section in ("exposures", "metrics", "semantic_models", "saved_queries", "unit_tests"):
        assert manifest[section] == {}, section
    ours = {
        macro["name"] for macro in manifest["macros"].values() if macro["package_name"] == "mlmon"
    }
    core = {
        macro["name"] for macro in manifest["macros"].values() if macro["package_name"] == "dbt"
    }
    assert ours & core == set()


@pytest.mark.usefixtures("built")
def test_every_mart_is_there_and_empty(project: DbtProject) -> None:
    filled = {
        name: len(frame)
        for name in project.warehouse.tables()
        if name.startswith(("fct_mlmon__", "dim_mlmon__")) and len(frame := project.read(name)) > 0
    }
    assert set(filled) == {"dim_mlmon__metrics"}


@pytest.mark.usefixtures("built")
def test_every_statement_of_a_runbook_runs(project: DbtProject) -> None:
    pages = sorted((ROOT / "docs/runbooks").glob("*.md"))
    statements = [
        (page.name, statement)
        for page in pages
        for statement in re.findall(r"```sql\n(.*?)```", page.read_text("utf-8"), re.DOTALL)
    ]
    assert {name for name, _ in statements} == {page.name for page in pages}
    for _, statement in statements:
        qualified = re.sub(r"\b((?:fct|dim|int)_mlmon__)", rf"{SCHEMA}.\1", statement)
        assert SCHEMA in qualified
        project.warehouse.query(qualified)
