"""The two warehouses of the tests behind one small interface: load a table, run SQL, read a table.

Each test project has a warehouse of its own: a DuckDB file, or a database on the shared PostgreSQL
server. Names of schemas are therefore the same on both.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.csv

from support.postgres import PostgresServer

if TYPE_CHECKING:
    from psycopg2.extensions import connection

Engine = Literal["duckdb", "postgres"]
ENGINES: tuple[Engine, ...] = ("duckdb", "postgres")

# A pandas frame, or an Arrow table where NaN must stay NaN: in a frame it means NULL.
Table: TypeAlias = pd.DataFrame | pa.Table

# The schema that dbt builds into, and what its name becomes for the package's own tables.
SCHEMA = "analytics"
INTERNALS = f"{SCHEMA}_mlmon_internals"


def schema_of(table: str) -> str:
    """The schema of a table that dbt built, where nobody says otherwise."""
    return INTERNALS if table.startswith(("int_mlmon__", "stg_mlmon__")) else SCHEMA


class Warehouse(Protocol):
    """What a test may do with a warehouse. Every call opens and closes its own connection."""

    @property
    def engine(self) -> Engine:
        """duckdb or postgres."""

    def profile(self) -> dict[str, Any]:
        """The output block of dbt's profiles.yml."""

    def load(
        self,
        table: str,
        rows: Table,
        schema: str = "logs",
        types: Mapping[str, str] | None = None,
    ) -> None:
        """Create or replace a table; ``types`` names SQL types where Arrow's are not enough."""

    def execute(self, sql: str) -> None:
        """Run statements."""

    def query(self, sql: str) -> pd.DataFrame:
        """The rows of a query, with the same pandas types on both engines."""

    def read(self, table: str, schema: str | None = None) -> pd.DataFrame:
        """A whole table, in no particular order."""

    def tables(self, schema: str | None = None) -> list[str]:
        """The names of the tables and views of a schema, or of all that dbt built, sorted."""

    def clear(self) -> None:
        """Back to an empty warehouse."""


# The fixture of that name: an empty warehouse of an engine.
MakeWarehouse: TypeAlias = Callable[[Engine], Warehouse]


@dataclass(frozen=True, slots=True)
class DuckDBWarehouse:
    """A DuckDB file."""

    path: Path
    engine: Engine = "duckdb"

    def profile(self) -> dict[str, Any]:
        return {
            "type": "duckdb",
            "path": str(self.path),
            "schema": SCHEMA,
            # As many test processes run as there are cores: a second thread would only wait for the first.
            "threads": 1,
            "settings": {"TimeZone": "UTC", "threads": 1},
        }

    def load(
        self,
        table: str,
        rows: Table,
        schema: str = "logs",
        types: Mapping[str, str] | None = None,
    ) -> None:
        columns = ", ".join(
            f"cast({name} as {(types or {})[name[1:-1]]}) as {name}"
            if name[1:-1] in (types or {})
            else name
            for name in _quoted(_arrow(rows))
        )
        with self._connect() as opened:
            opened.register("loaded_rows", _arrow(rows))
            opened.execute(f'create schema if not exists "{schema}"')
            opened.execute(
                f'create or replace table "{schema}"."{table}" as select {columns} from loaded_rows'
            )

    def execute(self, sql: str) -> None:
        with self._connect() as opened:
            opened.execute(sql)

    def query(self, sql: str) -> pd.DataFrame:
        with self._connect() as opened:
            return opened.execute(sql).df().apply(_plain)

    def read(self, table: str, schema: str | None = None) -> pd.DataFrame:
        return self.query(f'select * from "{schema or schema_of(table)}"."{table}"')

    def tables(self, schema: str | None = None) -> list[str]:
        return _tables(self, schema)

    def clear(self) -> None:
        for path in (self.path, self.path.with_name(self.path.name + ".wal")):
            path.unlink(missing_ok=True)

    @contextmanager
    def _connect(self) -> Iterator[duckdb.DuckDBPyConnection]:
        opened = duckdb.connect(str(self.path))
        try:
            opened.execute("set timezone = 'UTC'")
            yield opened
        finally:
            opened.close()


@dataclass(frozen=True, slots=True)
class PostgresWarehouse:
    """A database of its own on a PostgreSQL server."""

    server: PostgresServer
    database: str
    engine: Engine = "postgres"

    def profile(self) -> dict[str, Any]:
        return {
            "type": "postgres",
            "host": self.server.host,
            "port": self.server.port,
            "user": self.server.user,
            "password": "unused",
            "dbname": self.database,
            "schema": SCHEMA,
            "threads": 1,
        }

    def load(
        self,
        table: str,
        rows: Table,
        schema: str = "logs",
        types: Mapping[str, str] | None = None,
    ) -> None:
        arrow = _arrow(rows)
        columns = ", ".join(
            f"{name} {(types or {}).get(field.name) or _postgres_type(field.type)}"
            for name, field in zip(_quoted(arrow), arrow.schema, strict=True)
        )
        lines = io.BytesIO()
        pyarrow.csv.write_csv(arrow, lines, pyarrow.csv.WriteOptions(include_header=False))
        lines.seek(0)
        with self._connect() as opened, opened.cursor() as cursor:
            cursor.execute(f'create schema if not exists "{schema}"')
            cursor.execute(f'drop table if exists "{schema}"."{table}" cascade')
            cursor.execute(f'create table "{schema}"."{table}" ({columns})')
            cursor.copy_expert(f'copy "{schema}"."{table}" from stdin with (format csv)', lines)

    def execute(self, sql: str) -> None:
        with self._connect() as opened, opened.cursor() as cursor:
            cursor.execute(sql)

    def query(self, sql: str) -> pd.DataFrame:
        with self._connect() as opened, opened.cursor() as cursor:
            cursor.execute(sql)
            rows = cursor.fetchall()
            described = cursor.description or ()
        columns = {
            column.name: _series([row[position] for row in rows], column.type_code)
            for position, column in enumerate(described)
        }
        return pd.DataFrame(columns)

    def read(self, table: str, schema: str | None = None) -> pd.DataFrame:
        return self.query(f'select * from "{schema or schema_of(table)}"."{table}"')

    def tables(self, schema: str | None = None) -> list[str]:
        return _tables(self, schema)

    def clear(self) -> None:
        self.server.create_database(self.database)

    def _connect(self) -> AbstractContextManager[connection]:
        return self.server.connect(self.database)


def _tables(warehouse: Warehouse, schema: str | None) -> list[str]:
    schemas = (schema,) if schema else (SCHEMA, INTERNALS)
    names = warehouse.query(
        "select table_name from information_schema.tables where table_schema in"
        f" ({', '.join(repr(one) for one in schemas)})"
    )
    return sorted(names["table_name"])


def _arrow(rows: Table) -> pa.Table:
    if isinstance(rows, pd.DataFrame):
        return pa.Table.from_pandas(rows, preserve_index=False)
    return rows


def _quoted(rows: pa.Table) -> list[str]:
    return ['"' + name.replace('"', '""') + '"' for name in rows.column_names]


def _postgres_type(arrow: pa.DataType) -> str:
    kinds = [
        (pa.types.is_boolean, "boolean"),
        (pa.types.is_integer, "bigint"),
        (pa.types.is_floating, "double precision"),
        (pa.types.is_date, "date"),
        (pa.types.is_timestamp, "timestamp with time zone" if getattr(arrow, "tz", None)
         else "timestamp"),
        (pa.types.is_null, "text"),
        (pa.types.is_string, "text"),
        (pa.types.is_large_string, "text"),
    ]  # fmt: skip
    for matches, name in kinds:
        if matches(arrow):
            return name
    raise TypeError(f"no PostgreSQL type for {arrow}: name one in types=")


def _plain(column: pd.Series[Any]) -> pd.Series[Any]:
    """A column without pandas' nullable types: numbers as double where one is missing."""
    missing = bool(column.isna().any())
    if pd.api.types.is_bool_dtype(column.dtype):
        return column.astype(object).where(column.notna(), None) if missing else column.astype(bool)
    if pd.api.types.is_integer_dtype(column.dtype):
        return column.astype("float64" if missing else "int64")
    if column.dtype == object and column.isna().all():
        return column.astype("str")
    return column


def _series(values: list[Any], type_code: int) -> pd.Series[Any]:
    """A column with the pandas type that DuckDB would give it."""
    missing = any(value is None for value in values)
    if type_code in {20, 21, 23}:  # bigint, smallint, integer
        return pd.Series(values, dtype="float64" if missing else "int64")
    if type_code in {700, 701, 1700}:  # real, double precision, numeric
        return pd.Series(values, dtype="float64")
    if type_code in {1082, 1114}:  # date, timestamp
        return pd.Series(pd.to_datetime(pd.Series(values, dtype=object))).astype("datetime64[us]")
    if type_code == 16 and not missing:  # boolean
        return pd.Series(values, dtype="bool")
    if type_code in {25, 1043}:  # text, varchar
        return pd.Series(values, dtype="str")
    return pd.Series(values, dtype=object)
