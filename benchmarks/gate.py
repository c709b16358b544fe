"""What the gate costs: its peak memory, and its time as a ratio to a bare scan of the same columns.

    python benchmarks/gate.py --rows 10000000
    python benchmarks/gate.py --rows 10000000 --engine postgres

Makes a log with as many numeric as categorical features, a few rows with flaws, and a reference of
200,000 rows; runs `mlmon validate` in a process of its own, and prints its peak memory and its time. dbt, which
tells the gate its plan, is a process as well; the larger of the two peaks is printed. PostgreSQL, a server that this
starts and stops, is not among them. Machines differ and are noisy: compare ratios, never seconds.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from consumer import MEMORY_LIMIT, PACKAGE, make_project, measured

if TYPE_CHECKING:
    from support.postgres import PostgresServer

REFERENCE_ROWS = 200_000


def make_logs(connection: duckdb.DuckDBPyConnection, rows: int, features: int) -> None:
    """Writes ``rows`` predictions, one in a thousand flawed, and a reference without flaws."""
    numbers = ", ".join(
        f"case when hash(i * {k} + 5) % 1000 < {{flawed}} then -1.0"
        f" else (hash(i * {k} + 7) % 1000003) / 1000003.0 * {k} end as x{k}"
        for k in range(1, features + 1)
    )
    words = ", ".join(
        f"case when hash(i * {k} + 11) % 1000 < {{flawed}} then 'new' else 'value '"
        f" || hash(i * {k} + 13) % 40 end as c{k}"
        for k in range(1, features + 1)
    )
    log = f"""
        select
            case when hash(i) % 1000 < {{flawed}} then 'r0' else 'r' || i end as request_id,
            'v1' as model_version,
            timestamp '2025-01-01' + to_microseconds(i * 1000) as predicted_at,
            timestamp '2025-01-01' + to_microseconds(i * 1000 + 5000000) as loaded_at,
            (hash(i) % 1009) / 1009.0 as score,
            cast(hash(i) % 2 as integer) as prediction,
            cast(hash(i + 1) % 300 as double) as latency_ms,
            {numbers}, {words}
        from range({{rows}}) as t (i)
    """
    connection.execute("create schema logs")
    connection.execute(f"create table logs.predictions as {log.format(rows=rows, flawed=1)}")
    connection.execute(
        f"create table logs.reference as {log.format(rows=REFERENCE_ROWS, flawed=0)}"
    )


def monitor(features: int) -> dict[str, object]:
    """One binary monitor on the made logs, with a declared range for every number."""
    numbers = {f"x{k}": {"kind": "numeric", "min": 0, "max": k} for k in range(1, features + 1)}
    return {
        "task": "binary",
        "predictions": {"source": ["logs", "predictions"]},
        "reference": {"source": ["logs", "reference"]},
        "features": numbers | {f"c{k}": "categorical" for k in range(1, features + 1)},
    }


def scan_query(features: int) -> str:
    """A query that reads every column of the log."""
    counts = ", ".join(f"sum(x{k}), max(c{k})" for k in range(1, features + 1))
    return f"select {counts}, max(request_id), sum(score) from logs.predictions"


def fastest(scan: Callable[[], object]) -> float:
    """The seconds of the fastest of three scans."""
    times = []
    for _ in range(3):
        began = time.perf_counter()
        scan()
        times.append(time.perf_counter() - began)
    return min(times)


def copy_to_postgres(path: Path, server: PostgresServer) -> None:
    """Moves the made logs from the DuckDB file to the server."""
    types = {"timestamp": "timestamp", "double": "double precision", "bigint": "bigint"}
    file = path.with_suffix(".csv")
    with duckdb.connect(str(path), read_only=True) as made, server.connect() as opened:
        cursor = opened.cursor()
        cursor.execute("create schema logs")
        for table in ("predictions", "reference"):
            columns = made.execute(f"describe logs.{table}").fetchall()
            listed = ", ".join(
                f"{name} {types.get(kind.lower(), 'integer' if kind == 'INTEGER' else 'text')}"
                for name, kind, *_ in columns
            )
            cursor.execute(f"create table logs.{table} ({listed})")
            made.execute(f"copy logs.{table} to '{file}' (header false)")
            with file.open() as rows:
                cursor.copy_expert(f"copy logs.{table} from stdin (format csv)", rows)
            file.unlink()
        cursor.execute("analyze")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rows", type=int, default=2_000_000, help="new prediction rows")
    parser.add_argument("--features", type=int, default=6, help="numeric features, and categorical")
    parser.add_argument("--engine", choices=("duckdb", "postgres"), default="duckdb")
    given = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        profile = None
        if given.engine == "postgres":
            sys.path.insert(0, str(PACKAGE / "tests"))
            from support.postgres import server

            postgres = stack.enter_context(server())
            profile = {
                "type": "postgres", "host": postgres.host, "port": postgres.port, "user": postgres.user,
                "password": "none", "dbname": "postgres", "schema": "analytics", "threads": 2,
            }  # fmt: skip
        monitors = {"scale": monitor(given.features)}
        path = make_project(folder, monitors, ("predictions", "reference"), profile)
        with duckdb.connect(str(path)) as connection:
            connection.execute(f"set memory_limit = '{MEMORY_LIMIT}'")
            make_logs(connection, given.rows, given.features)
        query = scan_query(given.features)
        if given.engine == "postgres":
            copy_to_postgres(path, postgres)
            path.unlink()
            with postgres.connect() as opened, opened.cursor() as cursor:
                scan = fastest(lambda: cursor.execute(query))
        else:
            with duckdb.connect(str(path), read_only=True, config={"threads": "2"}) as connection:
                scan = fastest(lambda: connection.execute(query).fetchall())
        command = [sys.executable, "-m", "mlmon", "validate", "--format", "json", "--warn-only"]
        run = measured(folder, *command)
        [log] = json.loads(run.printed)["logs"]
    failed = [check for check in log["checks"] if check["n_failed"]]
    print(f"{log['n_rows']:,} new rows, {len(log['checks'])} checks, {len(failed)} with failures")
    print(f"peak memory of one process  {run.peak:8,.0f} MB")
    print(f"bare scan of the columns         1.0   ({scan:.2f} s)")
    print(f"the gate, dbt's start included {run.seconds / scan:5.1f} x  ({run.seconds:.0f} s)")


if __name__ == "__main__":
    main()
