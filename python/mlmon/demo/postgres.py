"""Loads the demo's logs into PostgreSQL, where DuckDB reads the Parquet files in place."""

from __future__ import annotations

import io
from pathlib import Path

from mlmon.profile import Target
from mlmon.warehouse import open_postgres

SCHEMA = "flights"


def land_in_postgres(target: Target, logs: Path) -> None:
    """Replace the tables of the schema ``flights`` by the Parquet files of a directory."""
    import pyarrow.csv
    import pyarrow.parquet

    opened = open_postgres(target)
    try:
        with opened, opened.cursor() as cursor:
            cursor.execute(f"create schema if not exists {SCHEMA}")
            for path in sorted(logs.glob("*.parquet")):
                rows = pyarrow.parquet.read_table(path)
                columns = ", ".join(
                    f'"{field.name}" {_sql_type(field.type)}' for field in rows.schema
                )
                table = f'{SCHEMA}."{path.stem}"'
                cursor.execute(f"drop table if exists {table} cascade")
                cursor.execute(f"create table {table} ({columns})")
                lines = io.BytesIO()
                pyarrow.csv.write_csv(rows, lines, pyarrow.csv.WriteOptions(include_header=False))
                lines.seek(0)
                cursor.copy_expert(f"copy {table} from stdin with (format csv)", lines)
    finally:
        opened.close()


def _sql_type(kind: object) -> str:
    from pyarrow import types

    if types.is_integer(kind):
        return "integer"
    if types.is_floating(kind):
        return "double precision"
    return "timestamp" if types.is_timestamp(kind) else "text"
