"""Fixtures for every test: a PostgreSQL server, warehouses, and dbt projects on them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.alerts import AlertProject, alert_project
from support.dbt_project import DbtProject, MakeProject, create_project
from support.loopback import Service, service
from support.postgres import PostgresServer, server
from support.warehouses import DuckDBWarehouse, Engine, MakeWarehouse, PostgresWarehouse, Warehouse

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A PostgreSQL server, started where the first test of a worker asks for it."""
    with server() as running:
        yield running


@pytest.fixture(scope="session")
def make_warehouse(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> MakeWarehouse:
    """`make_warehouse("duckdb" | "postgres")`: an empty warehouse of its own.

    Its databases go with the server, its files with pytest's directory.
    """

    def make(engine: Engine) -> Warehouse:
        if engine == "duckdb":
            return DuckDBWarehouse(tmp_path_factory.mktemp("duckdb") / "warehouse.duckdb")
        running: PostgresServer = request.getfixturevalue("postgres_server")
        warehouse = PostgresWarehouse(running, f"test_{next(_numbers)}")
        warehouse.clear()
        return warehouse

    return make


@pytest.fixture(scope="session")
def make_project(
    make_warehouse: MakeWarehouse, tmp_path_factory: pytest.TempPathFactory
) -> MakeProject:
    """`make_project(engine, vars=…, sources=…, files=…)`: see `support.dbt_project.create_project`.

    Give `warehouse=` to put a second project on the warehouse of a first.
    """

    def make(
        engine: Engine = "duckdb", *, warehouse: Warehouse | None = None, **options: Any
    ) -> DbtProject:
        directory: Path = tmp_path_factory.mktemp("project")
        return create_project(directory, warehouse or make_warehouse(engine), **options)

    return make


@pytest.fixture(scope="session", params=["duckdb", "postgres"])
def engine(request: pytest.FixtureRequest) -> Engine:
    """Both engines, one after the other: a test that asks for it runs on each."""
    name: Engine = request.param
    return name


@pytest.fixture
def alerts(tmp_path: Path, make_warehouse: MakeWarehouse, engine: Engine) -> AlertProject:
    """A project whose alert tables a test fills; the outbox is beside the warehouse."""
    return alert_project(tmp_path, make_warehouse(engine))


@pytest.fixture
def duckdb_alerts(tmp_path: Path, make_warehouse: MakeWarehouse) -> AlertProject:
    """The same on DuckDB alone, for what does not depend on where the outbox is."""
    return alert_project(tmp_path, make_warehouse("duckdb"))


@pytest.fixture
def hook() -> Iterator[Service]:
    """An HTTP service on loopback."""
    with service() as running:
        yield running
