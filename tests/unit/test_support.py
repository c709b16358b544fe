"""The tests' own tools: what a test project does is what dbt does for a user."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

from support.compare import differences
from support.dbt_project import ROOT, DbtProject, MakeProject
from support.warehouses import ENGINES, Engine, MakeWarehouse

MODELS = {
    "models/kept.sql": "{{ config(materialized='ephemeral') }} select 1 as one",
    "models/doubled.sql": "select id, 2 * amount as doubled from {{ source('logs', 'orders') }}",
    "models/total.sql": (
        "select sum(doubled * one) as total from {{ ref('doubled') }} cross join {{ ref('kept') }}"
    ),
}
ORDERS = pd.DataFrame({"id": ["a", "b"], "amount": [1.5, 2.0]})


@pytest.fixture(scope="module")
def tiny_package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A package that stands in for ours: these tests are about the tools."""
    package = tmp_path_factory.mktemp("package")
    (package / "dbt_project.yml").write_text("name: mlmon\nversion: 0.1.0\nconfig-version: 2\n")
    (package / "models").mkdir()
    (package / "models" / "shipped.sql").write_text('select \'{{ var("word", "none") }}\' as word')
    return package


@pytest.fixture(scope="module")
def project(make_project: MakeProject, engine: Engine, tiny_package: Path) -> DbtProject:
    made = make_project(engine, sources={"logs": ["orders"]}, files=MODELS, package=tiny_package)
    made.warehouse.load("orders", ORDERS)
    return made


def test_a_project_builds_the_package_and_its_own_models(project: DbtProject) -> None:
    result = project.build()
    assert result.statuses == {"doubled": "success", "total": "success", "shipped": "success"}
    assert project.warehouse.tables() == ["doubled", "shipped", "total"]
    assert project.read("total")["total"].tolist() == [7.0]


def test_the_warehouse_can_be_written_between_two_runs(project: DbtProject) -> None:
    project.build()
    project.warehouse.load("orders", pd.DataFrame({"id": ["a"], "amount": [10.0]}))
    project.build()
    assert project.read("total")["total"].tolist() == [20.0]
    project.warehouse.load("orders", ORDERS)


def test_new_vars_and_new_files_are_seen_by_the_next_run(project: DbtProject) -> None:
    project.set_vars({"word": "tree"})
    project.write("models/extra.sql", "select 1 as one")
    project.build()
    assert project.read("shipped")["word"].tolist() == ["tree"]
    assert project.read("extra")["one"].tolist() == [1]


def test_vars_of_one_command_do_not_stay(project: DbtProject) -> None:
    project.set_vars({"word": "tree"})
    project.build("--vars", "word: leaf")
    assert project.read("shipped")["word"].tolist() == ["leaf"]
    project.build()
    assert project.read("shipped")["word"].tolist() == ["tree"]


def test_a_failing_model_is_reported_in_words(project: DbtProject) -> None:
    project.write("models/broken.sql", "select no_such_column from {{ ref('doubled') }}")
    result = project.run("build")
    project.write("models/broken.sql", "select 1 as one")
    assert not result.ok
    assert result.statuses["broken"] == "error"
    assert "no_such_column" in result.messages["broken"]
    assert "no_such_column" in result.text


def test_a_project_that_does_not_parse_is_reported_in_words(project: DbtProject) -> None:
    project.write(
        "models/broken.sql", "{{ exceptions.raise_compiler_error('the monitor is odd') }}"
    )
    result = project.run("build")
    project.write("models/broken.sql", "select 1 as one")
    assert not result.ok
    assert "the monitor is odd" in result.text


def test_a_cleared_warehouse_is_empty(make_warehouse: MakeWarehouse, engine: Engine) -> None:
    warehouse = make_warehouse(engine)
    warehouse.load("orders", ORDERS)
    warehouse.clear()
    assert warehouse.tables("logs") == []


def test_both_warehouses_hand_back_the_same_frames(make_warehouse: MakeWarehouse) -> None:
    rows = pa.table(
        {
            "a word": pa.array(['it\'s; "quoted", here', "", None]),
            "n": pa.array([1, None, 3], pa.int64()),
            "whole": pa.array([1, 2, 3], pa.int32()),
            "x": pa.array([float("inf"), None, 0.1], pa.float64()),
            "nan": pa.array([float("nan"), 1.0, -float("inf")], pa.float64()),
            "flag": pa.array([True, False, None]),
            "at": pa.array([datetime(2024, 3, 1, 12, 0, 0, 123456), None, datetime(1999, 1, 1)]),
            "day": pa.array([date(2024, 3, 1), None, date(1999, 1, 1)]),
            "nothing": pa.array([None, None, None], pa.string()),
        }
    )
    frames = []
    for engine in ENGINES:
        warehouse = make_warehouse(engine)
        warehouse.load("odd", rows)
        frames.append(warehouse.read("odd", "logs"))
    pd.testing.assert_frame_equal(frames[0], frames[1])
    assert differences(frames[0], frames[1]) == []
    assert frames[0]["a word"].tolist()[:2] == ['it\'s; "quoted", here', ""]


def test_sql_types_can_be_named(make_warehouse: MakeWarehouse, engine: Engine) -> None:
    warehouse = make_warehouse(engine)
    warehouse.load("docs", pd.DataFrame({"payload": ['{"a": 1}']}), types={"payload": "json"})
    found = warehouse.query("select payload ->> 'a' as a from logs.docs")
    assert found["a"].tolist() == ["1"]


def test_the_link_to_the_package_is_what_dbt_deps_makes(
    make_project: MakeProject, tiny_package: Path
) -> None:
    project = make_project(package=tiny_package)
    link = project.directory / "dbt_packages" / "mlmon"
    assert link.is_symlink()
    ours = link.resolve()
    link.unlink()
    assert project.run("deps").ok
    assert link.is_symlink()
    assert link.resolve() == ours


def test_the_package_is_this_checkout_by_default(make_project: MakeProject) -> None:
    assert (make_project().directory / "dbt_packages" / "mlmon").resolve() == ROOT
