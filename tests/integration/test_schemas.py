"""Where the tables lie: marts and seeds where dbt would put any model, everything else in a schema beside them."""

from __future__ import annotations

from typing import Any

import pytest

from support.dbt_project import DbtProject
from support.warehouses import INTERNALS, SCHEMA, Engine

MONITOR = {
    "task": "binary",
    "predictions": {"source": ["logs", "predictions"]},
    "features": {"x": "numeric"},
}
# How users write it, where they do not like dbt's own: the name as it is, and no other names at all.
AS_IT_IS = "{{ (custom_schema_name or target.schema) | trim }}"
IGNORED = "{{ target.schema }}"


def made(make_project: Any, engine: Engine, schema: str | None = None, **models: Any) -> DbtProject:
    macro = (
        "{% macro generate_schema_name(custom_schema_name, node) %}"
        + f"{schema}"
        + "{% endmacro %}"
    )
    project: DbtProject = make_project(
        engine,
        vars={"mlmon_monitors": {"m": MONITOR}},
        sources={"logs": ["predictions"]},
        files={"macros/generate_schema_name.sql": macro} if schema else {},
        settings={"models": models} if models else {},
    )
    project.warehouse.execute("create schema logs")
    project.warehouse.execute(
        "create table logs.predictions as select 'r1' as request_id, 'v1' as model_version,"
        " timestamp '2026-03-01 10:00:00' as predicted_at,"
        " timestamp '2026-03-01 10:00:00' as loaded_at, 'ok' as outcome, 0.7 as score,"
        " 1 as prediction, 20.0 as latency_ms, 0.5 as x"
    )
    return project


def schemas(project: DbtProject) -> dict[str, set[str]]:
    """The schemas of the tables that dbt built, by how their names begin."""
    found = project.warehouse.query(
        "select distinct table_schema, split_part(table_name, '_', 1) as kind"
        " from information_schema.tables where position('mlmon__' in table_name) > 0"
    )
    return {str(kind): set(rows["table_schema"]) for kind, rows in found.groupby("kind", sort=True)}


def test_everything_but_marts_and_seeds_lies_in_a_schema_beside(
    make_project: Any, engine: Engine
) -> None:
    project = made(make_project, engine)
    for _ in range(2):
        project.build()
    assert schemas(project) == {
        "dim": {SCHEMA}, "fct": {SCHEMA}, "int": {INTERNALS}, "stg": {INTERNALS},
    }  # fmt: skip
    assert "runbooks" in project.warehouse.tables(SCHEMA)
    assert project.read("fct_mlmon__windows")["n_predictions"].sum() > 0


@pytest.mark.parametrize(("macro", "internals"), [(AS_IT_IS, "mlmon_internals"), (IGNORED, SCHEMA)])
def test_a_users_own_generate_schema_name_holds(
    make_project: Any, macro: str, internals: str
) -> None:
    project = made(make_project, "duckdb", macro)
    for _ in range(2):
        project.build()
    assert schemas(project) == {
        "dim": {SCHEMA}, "fct": {SCHEMA}, "int": {internals}, "stg": {internals},
    }  # fmt: skip
    assert project.read("fct_mlmon__windows")["n_predictions"].sum() > 0


def test_a_user_names_both_schemas(make_project: Any) -> None:
    """As docs/operating.md shows it."""
    given = {
        "mlmon": {
            "marts": {"+schema": "monitoring"},
            "staging": {"+schema": "below"},
            "intermediate": {"+schema": "below"},
        }
    }
    project = made(make_project, "duckdb", **given)
    project.build()
    assert schemas(project) == {
        "dim": {f"{SCHEMA}_monitoring"}, "fct": {f"{SCHEMA}_monitoring"},
        "int": {f"{SCHEMA}_below"}, "stg": {f"{SCHEMA}_below"},
    }  # fmt: skip
