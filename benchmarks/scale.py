"""What a build costs, as ratios within one run: the facts against a bare scan, a day against its history.

    python benchmarks/scale.py --rows 1000000 --features 20
    python benchmarks/scale.py --rows 1000000 --features 20 --history
    python benchmarks/scale.py --rows 1000000 --features 20 --monitors 12 --drift-methods all

Makes logs in DuckDB, times a bare scan that sums the same columns, a full build, the models of it, a run with
nothing new and a run with one new day; prints ratios and the peak memory of dbt's process. With --history the new
day is also timed on 30 and on 365 days of history with the same rows a day. With --monitors the rows are dealt out
to so many logs, each with a monitor of its own, and all have the same reference. Machines differ and are noisy:
compare ratios, never seconds.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from pathlib import Path

import duckdb

from consumer import MEMORY_LIMIT, dbt, make_project, model_seconds


def make_logs(connection: duckdb.DuckDBPyConnection, rows: int, days: int, features: int) -> None:
    """Writes `rows` predictions over `days` days, their labels and a reference of 50,000 rows."""
    numbers = ", ".join(
        f"((hash(i * {k} + 7) % 1000003) / 1000003.0) * {k} as x{k}" for k in range(1, features + 1)
    )
    log = f"""
        select 'r' || i as request_id, 'v1' as model_version,
            timestamp '2025-01-01' + to_microseconds(cast(i * {days * 86_400_000_000 // rows} as bigint))
                as predicted_at,
            (hash(i) % 1009) / 1009.0 as score,
            case when hash(i) % 1009 > 504 then 1 else 0 end as prediction,
            cast(hash(i + 1) % 300 as double) + 1 as latency_ms, 'ok' as outcome, {numbers}
        from range({{first}}, {{last}}) as t (i)
    """
    connection.execute("create schema logs")
    connection.execute(
        "create table logs.predictions as select *, predicted_at + interval 5 second as loaded_at"
        f" from ({log.format(first=0, last=rows)})"
    )
    connection.execute(
        "create table logs.labels as select request_id, cast(hash(request_id) % 2 as int) as label,"
        " predicted_at + interval 20 hour as labeled_at, predicted_at + interval 21 hour as loaded_at"
        f" from logs.predictions where predicted_at < timestamp '2025-01-01' + interval {days - 1} day"
    )
    connection.execute(
        "create table logs.reference as select *, cast(hash(request_id) % 2 as int) as label"
        f" from ({log.format(first=0, last=50_000)})"
    )


def add_day(connection: duckdb.DuckDBPyConnection, rows_a_day: int) -> None:
    """Appends one more day to the log: the last day's rows, a day later and with new requests."""
    connection.execute(
        "insert into logs.predictions select * replace ('n' || request_id as request_id,"
        " predicted_at + interval 1 day as predicted_at, loaded_at + interval 1 day as loaded_at)"
        " from logs.predictions where predicted_at >="
        " (select max(predicted_at) from logs.predictions) - interval 1 day"
        f" limit {rows_a_day}"
    )


def deal_out(connection: duckdb.DuckDBPyConnection, monitors: int) -> None:
    """Views predictions_0, labels_0, predictions_1, ... of the logs, each with the rows of one model."""
    for table in ("predictions", "labels"):
        connection.execute(
            f"create or replace table logs.{table} as"
            f" select *, hash(request_id) % {monitors} as model from logs.{table}"
        )
        for number in range(monitors):
            connection.execute(
                f"create view logs.{table}_{number} as select * exclude (model) from logs.{table}"
                f" where model = {number}"
            )


def monitor(
    features: int, multivariate: bool, part: str = "", methods: str | None = None
) -> dict[str, object]:
    """One binary monitor on the made logs."""
    return {
        "task": "binary",
        "predictions": {"source": ["logs", f"predictions{part}"]},
        "labels": {"source": ["logs", f"labels{part}"]},
        "reference": {"source": ["logs", "reference"]},
        "features": {f"x{k}": "numeric" for k in range(1, features + 1)},
        "multivariate": multivariate,
        **({"drift_methods": methods} if methods else {}),
    }


def facts_of_predictions(folder: Path) -> list[str]:
    """The facts that are counted from the predictions of stale windows."""
    nodes = json.loads((folder / "target" / "manifest.json").read_text())["nodes"].values()
    return [node["name"] for node in nodes if node["config"]["meta"].get("stale") == "predictions"]


def bare_scan(path: Path, features: int) -> float:
    """The fastest of three scans of the log that sum every column the facts read."""
    sums = ", ".join(f"sum(x{k})" for k in range(1, features + 1))
    times = []
    with duckdb.connect(str(path), config={"threads": "2"}) as connection:
        for _ in range(3):
            began = time.perf_counter()
            connection.execute(
                f"select {sums}, sum(score), sum(latency_ms), max(predicted_at) from logs.predictions"
            ).fetchall()
            times.append(time.perf_counter() - began)
    return min(times)


def ks_errors(path: Path) -> tuple[float, float]:
    """The mean and the largest of what cells may hide of the ks of a feature."""
    with duckdb.connect(str(path), read_only=True) as connection:
        found = connection.execute(
            "select avg(value_error), max(value_error) from fct_mlmon__drift"
            " where method = 'ks' and column_role = 'feature'"
        ).fetchall()
    mean, largest = found[0]
    return float(mean), float(largest)


def measure(given: argparse.Namespace, rows: int, days: int, verbose: bool) -> float:
    """Prints the ratios of one size and returns the seconds of an incremental day."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        parts = [f"_{k}" for k in range(given.monitors)] if given.monitors > 1 else [""]
        path = make_project(
            folder,
            {
                f"scale{part}": monitor(
                    given.features, given.multivariate, part, given.drift_methods
                )
                for part in parts
            },
            (*(f"{log}{part}" for log in ("predictions", "labels") for part in parts), "reference"),
        )
        with duckdb.connect(str(path)) as connection:
            connection.execute(f"set memory_limit = '{MEMORY_LIMIT}'")
            make_logs(connection, rows, days, given.features)
            if given.monitors > 1:
                deal_out(connection, given.monitors)
        full = dbt(folder, "build")
        seconds = model_seconds(folder)
        idle = dbt(folder, "build")
        with duckdb.connect(str(path)) as connection:
            add_day(connection, rows // days)
        day = dbt(folder, "build")
        if verbose:
            scan = bare_scan(path, given.features)
            mean, largest = ks_errors(path)
            facts = sum(seconds[fact] for fact in facts_of_predictions(folder))
            print(
                f"{rows:,} rows x {given.features} features over {days} days, {len(parts)} monitors,"
                f" {os.cpu_count()} cores"
            )
            print(f"bare scan of the same columns       1.0   ({scan:.3f} s)")
            print(
                f"facts of a full build            {facts / scan:6.1f} x the scan ({facts:.2f} s)"
            )
            for model, cost in sorted(seconds.items(), key=lambda item: -item[1])[:15]:
                print(f"    {model:38} {cost / scan:6.1f} x the scan ({cost:.2f} s)")
            print(f"value_error of ks                {mean:6.4f} on average, {largest:.4f} at most")
            for run, what in ((full, "full build"), (idle, "nothing new"), (day, "one new day")):
                print(
                    f"{what:12}  {run.seconds / full.seconds:6.2f} x the full build,"
                    f" {run.seconds / idle.seconds:6.2f} x nothing new ({run.seconds:.1f} s,"
                    f" {run.processor:.1f} s of processor time, peak memory {run.peak:,.0f} MB)"
                )
        return day.seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rows", type=int, default=1_000_000, help="prediction rows in the log")
    parser.add_argument("--features", type=int, default=20, help="numeric features")
    parser.add_argument("--days", type=int, default=30, help="days the rows are spread over")
    parser.add_argument(
        "--history", action="store_true", help="also one new day on 30 and on 365 days of history"
    )
    parser.add_argument("--multivariate", action="store_true", help="measure joint drift, too")
    parser.add_argument("--monitors", type=int, default=1, help="so many monitors share the rows")
    parser.add_argument("--drift-methods", choices=["all"], help="more methods than the default")
    given = parser.parse_args()
    measure(given, given.rows, given.days, verbose=True)
    if given.history:
        a_day = given.rows // given.days
        short = measure(given, a_day * 30, 30, verbose=False)
        long = measure(given, a_day * 365, 365, verbose=False)
        print(
            f"one new day of {a_day:,} rows: {long / short:.2f} x on 365 days of history against 30"
        )


if __name__ == "__main__":
    main()
