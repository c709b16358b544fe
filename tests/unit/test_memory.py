"""What macros remember within a run of dbt: one answer for all that ask, and none of another run."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from support.dbt_project import create_project, package_of_macros
from support.warehouses import DuckDBWarehouse

MONITOR = {"task": "binary", "predictions": {"source": ["logs", "predictions"]}}
ASK = """
{% macro ask(left) %}
    {% if left %}
        {% do graph.update({'mlmon': {'given': left, 'monitors': [], 'slot_counts': {}}}) %}
    {% endif %}
    {% do log(mlmon.monitors() | map(attribute='name') | join(' '), info=true) %}
    {% do log(mlmon.monitors() is sameas mlmon.monitors(), info=true) %}
    {% do log(mlmon.slot_counts().segment, info=true) %}
{% endmacro %}
"""


@pytest.mark.parametrize("left", ["", "another-run"])
def test_a_run_remembers_its_own_monitors(tmp_path_factory: Any, left: str) -> None:
    directory = tmp_path_factory.mktemp("project")
    project = create_project(
        directory,
        DuckDBWarehouse(directory / "w.duckdb"),
        vars={"mlmon_monitors": {"b": MONITOR, "a": {**MONITOR, "segments": ["region"]}}},
        files={"macros/ask.sql": ASK},
        package=package_of_macros(tmp_path_factory.mktemp("macros_only")),
    )
    for names in ("a b", "c"):
        asked = project.run("run-operation", "ask", "--args", f"{{left: '{left}'}}").require()
        assert asked.logged == [names, "True", "1" if names == "a b" else "0"]
        project.set_vars({"mlmon_monitors": {"c": MONITOR}})


COLUMNS = """
{% macro add_and_ask() %}
    {% set spec = {'source': ['logs', 'predictions']} %}
    {% do mlmon.find_log([], mlmon.monitors()[0], 'predictions', spec) %}
    {% do run_query('alter table ' ~ source('logs', 'predictions') ~ ' add column new integer') %}
    {% set found = mlmon.find_log([], mlmon.monitors()[0], 'predictions', spec) %}
    {% do log('types: ' ~ found.types.keys() | join(' '), info=true) %}
{% endmacro %}
"""


def test_a_run_asks_once_for_the_columns_of_a_log(tmp_path_factory: Any) -> None:
    directory = tmp_path_factory.mktemp("project")
    warehouse = DuckDBWarehouse(directory / "w.duckdb")
    project = create_project(
        directory,
        warehouse,
        vars={"mlmon_monitors": {"a": MONITOR}},
        sources={"logs": ["predictions"]},
        files={"macros/ask.sql": COLUMNS},
        package=package_of_macros(tmp_path_factory.mktemp("macros_only")),
    )
    for columns in (["request_id"], ["request_id", "x"]):
        warehouse.load("predictions", pd.DataFrame({name: ["a"] for name in columns}))
        asked = project.run("run-operation", "add_and_ask").require()
        assert asked.logged[-1] == f"types: {' '.join(columns)}"
