"""What the gate costs: its peak memory, and its time as a ratio to a bare scan of the same columns.

    python benchmarks/gate.py --rows 10000000

Makes a log in DuckDB with as many numeric as categorical features, a few rows with flaws, and a reference of
200,000 rows; runs `mlmon validate` in a process of its own, and prints its peak memory and its time. dbt, which
tells the gate its plan, is a process as well; the larger of the two peaks is printed. Machines differ and are
noisy: compare ratios, never seconds.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb

from consumer import MEMORY_LIMIT, make_project

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


def bare_scan(path: Path, features: int) -> float:
    """The fastest of three scans that read every column."""
    counts = ", ".join(f"sum(x{k}), max(c{k})" for k in range(1, features + 1))
    times = []
    with duckdb.connect(str(path), read_only=True, config={"threads": "2"}) as connection:
        for _ in range(3):
            began = time.perf_counter()
            connection.execute(
                f"select {counts}, max(request_id), sum(score) from logs.predictions"
            ).fetchall()
            times.append(time.perf_counter() - began)
    return min(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rows", type=int, default=2_000_000, help="new prediction rows")
    parser.add_argument("--features", type=int, default=6, help="numeric features, and categorical")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = make_project(
            folder, {"scale": monitor(given.features)}, ("predictions", "reference")
        )
        with duckdb.connect(str(path)) as connection:
            connection.execute(f"set memory_limit = '{MEMORY_LIMIT}'")
            make_logs(connection, given.rows, given.features)
        scan = bare_scan(path, given.features)
        command = [sys.executable, "-m", "mlmon", "validate", "--format", "json", "--warn-only"]
        began = time.perf_counter()
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        seconds = time.perf_counter() - began
        if done.returncode:
            raise SystemExit(f"mlmon validate failed:\n{done.stdout}\n{done.stderr}")
        [log] = json.loads(done.stdout)["logs"]
    failed = [check for check in log["checks"] if check["n_failed"]]
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"{log['n_rows']:,} new rows, {len(log['checks'])} checks, {len(failed)} with failures")
    print(f"peak memory of one process  {peak:8,.0f} MB")
    print(f"bare scan of the columns         1.0   ({scan:.2f} s)")
    print(f"the gate, dbt's start included {seconds / scan:5.1f} x  ({seconds:.0f} s)")


if __name__ == "__main__":
    main()
