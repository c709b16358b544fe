"""Short-lived connections to the warehouse of a dbt project, by the profile of that project.

The only place of the Python package that opens a connection. What the monitoring computes is written
by dbt alone; what is written here is what commands keep for themselves, and the logs of the demo.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from mlmon.errors import ConfigurationError, MlmonError, TryAgainError
from mlmon.profile import Target

if TYPE_CHECKING:
    import duckdb
    import psycopg2.extensions
    import pyarrow as pa

Row = dict[str, Any]


class AbsentTableError(MlmonError):
    """A table that dbt would build is not there."""


class Connection(Protocol):
    """An open connection."""

    def rows(self, sql: str) -> list[Row]:
        """The rows of a query, each as a dict by column."""

    def batches(self, sql: str, kinds: Mapping[str, str], size: int) -> Iterator[pa.Table]:
        """The rows of a query in Arrow tables of about ``size`` rows, without holding all of them.

        ``kinds`` has the columns in the order of the query, each text, numeric, time or boolean.
        The connection does nothing else until the last batch is taken.
        """

    def execute(self, sql: str) -> None:
        """Run one statement that returns nothing."""

    def insert(self, table: str, rows: Sequence[Row]) -> None:
        """Add rows, all with the same columns, to a table."""


@contextmanager
def connect(
    target: Target, *, writes: bool = False, memory: str | None = None
) -> Iterator[Connection]:
    """A connection to a target; closed at the end.

    It reads, unless it ``writes``: then all is one transaction, kept only where nothing was raised.
    ``memory`` ("500MB") bounds what DuckDB, which computes in this process, holds before it uses
    the disk.

    Raises TryAgainError where another process holds a DuckDB file, ConfigurationError for a
    warehouse that mlmon cannot open itself, MlmonError where the warehouse does not answer.
    """
    openers = {"duckdb": _open_duckdb, "postgres": _open_postgres}
    if target.kind not in openers:
        raise ConfigurationError(
            f"Target {target.name!r} of profile {target.profile!r} is of type {target.kind!r};"
            f" the command line reads {' and '.join(openers)}. The tables themselves are there:"
            " query them with any client."
        )
    with openers[target.kind](target, writes, memory) as opened:
        yield opened


def duckdb_path(target: Target) -> Path:
    """The file of a DuckDB target; a relative path counts from the project, as for dbt."""
    return target.project_dir / str(target.settings.get("path", ""))


def relation(target: Target, model: str, target_path: Path | None = None) -> str:
    """The quoted name under which dbt built a model of this package, from dbt's manifest.

    Raises MlmonError where dbt has not run, ConfigurationError where the model is not there.
    """
    found = relations(target, target_path).get(model)
    if found is None:
        raise ConfigurationError(
            f"The dbt project {target.project_dir} does not have the model {model}: is mlmon in its"
            " packages.yml, and enabled?"
        )
    return found


def relations(target: Target, target_path: Path | None = None) -> dict[str, str]:
    """The quoted names of every model and seed of this package, by its name in dbt.

    They are in dbt's manifest; where dbt has not run here, the last complete build may tell them.
    Raises MlmonError where nothing does.
    """
    path = artifacts(target, target_path) / "manifest.json"
    if not path.is_file():
        from mlmon.last_build.record import known_names

        if names := known_names(target):
            return names
        raise MlmonError(
            f"{path} is not there: dbt has not run in this project. Run `dbt build` first."
        )
    nodes = json.loads(path.read_text(encoding="utf-8"))["nodes"]
    return {
        name.split(".")[2]: str(node["relation_name"])
        for name, node in nodes.items()
        if name.startswith(("model.mlmon.", "seed.mlmon.")) and node.get("relation_name")
    }


def artifacts(target: Target, target_path: Path | None = None) -> Path:
    """The directory in which dbt writes what it has done."""
    named = target_path or os.environ.get("DBT_TARGET_PATH") or "target"
    return target.project_dir / named


class _DuckDB:
    def __init__(self, opened: duckdb.DuckDBPyConnection) -> None:
        self._opened = opened

    def rows(self, sql: str) -> list[Row]:
        with _duckdb_errors():
            found = self._opened.execute(sql)
            names = [column[0] for column in found.description or ()]
            return [dict(zip(names, row, strict=True)) for row in found.fetchall()]

    def batches(self, sql: str, kinds: Mapping[str, str], size: int) -> Iterator[pa.Table]:
        import pyarrow as pa

        with _duckdb_errors():
            for batch in self._opened.sql(sql).to_arrow_reader(size):
                yield pa.Table.from_batches([batch]).rename_columns(list(kinds))

    def execute(self, sql: str) -> None:
        with _duckdb_errors():
            self._opened.execute(sql)

    def insert(self, table: str, rows: Sequence[Row]) -> None:
        if rows:
            with _duckdb_errors():
                marks = ", ".join("?" * len(rows[0]))
                self._opened.executemany(
                    f"insert into {table} ({', '.join(rows[0])}) values ({marks})",
                    [list(row.values()) for row in rows],
                )


@contextmanager
def _duckdb_errors() -> Iterator[None]:
    import duckdb

    try:
        yield
    except duckdb.CatalogException as error:
        raise _absent(error) from None
    except duckdb.Error as error:
        raise MlmonError(f"DuckDB: {error}") from None


@contextmanager
def _open_duckdb(target: Target, writes: bool, memory: str | None) -> Iterator[Connection]:
    import duckdb

    given = str(target.settings.get("path", ""))
    if given.startswith(("md:", "motherduck:", ":memory:")):
        # What follows the colon may hold a token.
        raise ConfigurationError(
            "mlmon reads DuckDB targets that are local files; this one is in memory or in the cloud."
        )
    path = duckdb_path(target)
    if not path.is_file():
        raise MlmonError(f"The DuckDB file {path} is not there. Run `dbt build` first.")
    try:
        # Files that sources name count from the project, as for dbt.
        settings: dict[str, str | bool | int | float | list[str]]
        settings = {"file_search_path": str(target.project_dir)}
        if memory:
            settings |= {"memory_limit": memory, "preserve_insertion_order": "false"}
        opened = duckdb.connect(str(path), read_only=not writes, config=settings)
    except duckdb.Error as error:
        if is_locked(error):
            raise TryAgainError(
                f"Another process writes to {path}: try again when it is done.\n{error}"
            ) from None
        raise MlmonError(f"{path} cannot be opened: {error}") from None
    try:
        if writes:
            opened.begin()
        yield _DuckDB(opened)
        if writes:
            opened.commit()
    finally:
        # What is not committed is gone.
        opened.close()


def is_locked(error: Exception) -> bool:
    """Whether DuckDB says that another process holds the file."""
    return "Could not set lock on file" in str(error)


class _Postgres:
    def __init__(self, opened: psycopg2.extensions.connection) -> None:
        self._opened = opened

    def rows(self, sql: str) -> list[Row]:
        with _postgres_errors(), self._opened.cursor() as cursor:
            cursor.execute(sql)
            names = [column.name for column in cursor.description or ()]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def batches(self, sql: str, kinds: Mapping[str, str], size: int) -> Iterator[pa.Table]:
        from mlmon.postgres_copy import copy_tables

        with _postgres_errors(), self._opened.cursor() as cursor:
            yield from copy_tables(cursor, sql, kinds, size)

    def execute(self, sql: str) -> None:
        with _postgres_errors(), self._opened.cursor() as cursor:
            cursor.execute(sql)

    def insert(self, table: str, rows: Sequence[Row]) -> None:
        from psycopg2.extras import execute_values

        if rows:
            with _postgres_errors(), self._opened.cursor() as cursor:
                execute_values(
                    cursor,
                    f"insert into {table} ({', '.join(rows[0])}) values %s",
                    [tuple(row.values()) for row in rows],
                )


@contextmanager
def _postgres_errors() -> Iterator[None]:
    import psycopg2

    try:
        yield
    except psycopg2.errors.UndefinedTable as error:
        raise _absent(error) from None
    except psycopg2.Error as error:
        raise MlmonError(f"PostgreSQL: {error}") from None


@contextmanager
def _open_postgres(target: Target, writes: bool, memory: str | None) -> Iterator[Connection]:
    del memory  # PostgreSQL computes in a process of its own.
    opened = open_postgres(target)
    try:
        opened.set_session(readonly=not writes, autocommit=not writes)
        yield _Postgres(opened)
        if writes:
            opened.commit()
    finally:
        # What is not committed is gone.
        opened.close()


def open_postgres(target: Target) -> psycopg2.extensions.connection:
    """A psycopg2 connection with the credentials of the profile."""
    try:
        import psycopg2
    except ModuleNotFoundError:
        raise ConfigurationError(
            "Target 'postgres' needs psycopg2: pip install 'mlmon[postgres]'."
        ) from None

    settings = target.settings
    wanted = {
        "host": settings.get("host"),
        "port": settings.get("port", 5432),
        "user": settings.get("user"),
        "password": settings.get("password", settings.get("pass")),
        "dbname": settings.get("dbname", settings.get("database")),
        "sslmode": settings.get("sslmode"),
        "sslcert": settings.get("sslcert"),
        "sslkey": settings.get("sslkey"),
        "sslrootcert": settings.get("sslrootcert"),
        "connect_timeout": settings.get("connect_timeout", 10),
    }
    try:
        opened: psycopg2.extensions.connection = psycopg2.connect(
            application_name="mlmon",
            **{name: value for name, value in wanted.items() if value is not None},
        )
    except psycopg2.OperationalError as error:
        raise MlmonError(f"PostgreSQL does not answer: {error}") from None
    return opened


def text_literal(text: str) -> str:
    """A text for use inside SQL, on every warehouse that is read here."""
    return "'" + text.replace("'", "''").replace("\0", "") + "'"


def time_literal(at: datetime) -> str:
    """A naive UTC time for use inside SQL."""
    return f"timestamp '{at:%Y-%m-%d %H:%M:%S.%f}'"


def _absent(error: Exception) -> MlmonError:
    return AbsentTableError(
        f"The table is not there; run `dbt build` for this target first.\n{str(error).strip()}"
    )
