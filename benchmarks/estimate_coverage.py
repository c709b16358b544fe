"""How often the 95 % intervals of estimated performance hold what labels say later.

    python benchmarks/estimate_coverage.py
    python benchmarks/estimate_coverage.py --versions 500 --seed 2

Each version of a monitor has a reference of its own and one day of predictions, all new samples of one population:
so the share of versions whose realised metric lies in the interval counts what chance does to the calibration,
too. mlmon itself estimates and measures, on DuckDB. The second table of docs/interval_coverage.md is the output.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd

from consumer import dbt, make_project

METRICS = ("accuracy", "precision", "recall", "f1", "roc_auc")
# Labelled rows of a reference, and predictions of the day.
SIZES = ((300, 300), (300, 1_000), (1_000, 1_000), (5_000, 1_000))
INTERCEPTS = {"even": 0.0, "few positive": -3.0}


def drawn(rng: np.random.Generator, rows: int, versions: int, intercept: float) -> pd.DataFrame:
    """As many rows of each version, with scores that are less sure than they could be."""
    x = rng.normal(size=rows * versions)
    score = 1 / (1 + np.exp(-1.5 * x - intercept))
    return pd.DataFrame(
        {
            "model_version": np.repeat([f"v{i}" for i in range(versions)], rows),
            "score": score,
            "prediction": (score > 0.5).astype(int),
            "label": (rng.random(len(x)) < 1 / (1 + np.exp(-2.5 * x - intercept))).astype(int),
        }
    )


def write_logs(
    connection: duckdb.DuckDBPyConnection, name: str, reference: pd.DataFrame, rows: pd.DataFrame
) -> None:
    """One day of predictions, labelled at once; one row of another version a week later makes it mature."""
    later = rows.tail(1).assign(model_version="later")
    logged = pd.concat([rows, later], ignore_index=True)
    is_later = logged["model_version"] == "later"
    logged["request_id"] = logged.index.astype(str)
    logged["predicted_at"] = pd.Timestamp("2026-01-05 12:00") + pd.to_timedelta(
        np.where(is_later, 7, 0), unit="D"
    )
    logged["loaded_at"] = logged["labeled_at"] = logged["predicted_at"]
    connection.register("rows_of_day", logged)
    for log, columns in (
        ("predictions", "* exclude (label, labeled_at)"),
        ("labels", "request_id, label, labeled_at, loaded_at"),
    ):
        connection.execute(f"create table logs.{name}_{log} as select {columns} from rows_of_day")
    connection.unregister("rows_of_day")
    connection.register("known", reference)
    connection.execute(f"create table logs.{name}_reference as from known")
    connection.unregister("known")


def coverage(versions: int, seed: int) -> pd.DataFrame:
    """Population, metric and, per size of reference and day, the share of intervals that hold."""
    rng = np.random.default_rng(seed)
    cases = {
        f"case_{number}": (population, size)
        for number, (population, size) in enumerate(
            (population, size) for population in INTERCEPTS for size in SIZES
        )
    }
    logs = ("predictions", "labels", "reference")
    monitors = {
        name: {
            "task": "binary",
            **{log: {"source": ["logs", f"{name}_{log}"]} for log in logs},
            "columns": {"latency_ms": None, "outcome": None},
            "features": {},
            "spans": ["1d"],
            "label_horizon_days": 1,
        }
        for name in cases
    }
    with tempfile.TemporaryDirectory() as folder:
        tables = [f"{name}_{log}" for name in cases for log in logs]
        database = make_project(Path(folder), monitors, tables)
        with duckdb.connect(str(database)) as connection:
            connection.execute("create schema logs")
            for name, (population, (n_reference, n)) in cases.items():
                intercept = INTERCEPTS[population]
                write_logs(
                    connection,
                    name,
                    drawn(rng, n_reference, versions, intercept),
                    drawn(rng, n, versions, intercept),
                )
        dbt(Path(folder), "build", "--select", "+fct_mlmon__estimated_performance",
            "--vars", "{mlmon_lookback_days: 0}")  # fmt: skip
        with duckdb.connect(str(database), read_only=True) as connection:
            found = connection.execute(
                "select monitor, metric, avg(cast(is_covered as integer)) as held"
                " from fct_mlmon__estimated_performance where is_covered is not null"
                " group by monitor, metric"
            ).df()
    held = found.set_index(["monitor", "metric"])["held"]
    return pd.DataFrame(
        [
            {"population": population, "metric": metric}
            | {
                size: held[(name, metric)]
                for name, (of_population, size) in cases.items()
                if of_population == population
            }
            for population in INTERCEPTS
            for metric in METRICS
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--versions", type=int, default=300, help="references of each size")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    table = coverage(given.versions, given.seed)
    print("| population | metric | " + " | ".join(f"{m:,} / {n:,}" for m, n in SIZES) + " |")
    print("|---|---|" + "---:|" * len(SIZES))
    for row in table.to_dict("records"):
        shares = " | ".join(f"{100 * row[size]:.1f} %" for size in SIZES)
        print(f"| {row['population']} | {row['metric']} | {shares} |")


if __name__ == "__main__":
    main()
