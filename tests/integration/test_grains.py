"""That the grain which YAML names of a model (`config: {meta: {grain: [...]}}`) is one: no two rows share it.

On logs of every task with all that can be asked for (tests/support/task_logs.py), after a first run and one more.
"""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from support import task_logs
from support.dbt_project import ROOT, DbtProject
from support.warehouses import ENGINES, Engine, schema_of

GRAINS: dict[str, list[str]] = {
    model["name"]: grain
    for path in sorted(ROOT.glob("models/**/*.yml"))
    for model in (yaml.safe_load(path.read_text()) or {}).get("models") or []
    if (grain := ((model.get("config") or {}).get("meta") or {}).get("grain"))
}


@pytest.fixture(scope="module")
def projects(make_project: Any) -> dict[Engine, DbtProject]:
    made: dict[Engine, DbtProject] = {}
    for engine in ENGINES:
        project = make_project(
            engine,
            vars={
                "mlmon_monitors": task_logs.monitors(with_areas=True),
                "mlmon_lookback_days": 0,
            },
            sources=task_logs.SOURCES,
        )
        for run in (0, task_logs.RUNS - 1):
            task_logs.load(project.warehouse, run)
            project.build()
        made[engine] = project
    return made


def test_every_model_that_names_a_grain_is_built_somewhere(
    projects: dict[Engine, DbtProject],
) -> None:
    built = {name for project in projects.values() for name in project.warehouse.tables()}
    assert set(GRAINS) - built == set()
    assert len(GRAINS) > 20


@pytest.mark.parametrize("model", sorted(GRAINS))
def test_no_two_rows_share_the_grain(projects: dict[Engine, DbtProject], model: str) -> None:
    """Where a model is built on one engine alone, it is looked at there: the test above says it is on one."""
    columns = ", ".join(GRAINS[model])
    for project in projects.values():
        if model not in project.warehouse.tables():
            continue
        schema = schema_of(model)
        shared = project.warehouse.query(
            f'select {columns}, count(*) as n_rows from "{schema}"."{model}"'
            f" group by {columns} having count(*) > 1"
        )
        assert shared.empty, shared.head().to_string()
