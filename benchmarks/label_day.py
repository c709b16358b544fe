"""What a day's labels cost on a month of history and on a year of it, as ratios within one run.

    python benchmarks/label_day.py --rows-a-day 5000

Makes the same log over 30 and over 365 days in DuckDB, with a shadow version that scores every request beside the
champion, builds it with all labels but those of the last day, lands these and builds again. Prints the ratio of the
second builds, of the sums of their models' seconds (without what dbt itself takes), and the models that grew most.
Machines differ and are noisy: compare ratios, never seconds.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from statistics import median

import duckdb

from consumer import MEMORY_LIMIT, dbt, make_project, model_seconds
from scale import make_logs, monitor

HISTORIES = (30, 365)
TIMES = 3


def add_shadow(connection: duckdb.DuckDBPyConnection) -> None:
    """A second version that scores each request an hour after the first."""
    connection.execute(
        """
        insert into logs.predictions
        select * replace (
            'v2' as model_version,
            predicted_at + interval 1 hour as predicted_at,
            loaded_at + interval 1 hour as loaded_at,
            (hash(request_id) % 997) / 997.0 as score,
            case when hash(request_id) % 997 > 498 then 1 else 0 end as prediction
        )
        from logs.predictions
        """
    )


def land_labels(path: Path, number: int) -> None:
    """A third of the last day's labels."""
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            """
            insert into logs.labels
            select request_id, cast(hash(request_id) % 2 as int), predicted_at + interval 20 hour,
                predicted_at + interval 21 hour
            from logs.predictions
            where model_version = 'v1'
                and predicted_at >= (
                    select max(predicted_at) from logs.predictions where model_version = 'v1'
                ) - interval 1 day
                and hash(request_id) % ? = ?
            """,
            [TIMES, number],
        )


def measure(folder: Path, days: int, rows_a_day: int, features: int) -> list[dict[str, float]]:
    """The seconds of each model, and of all of dbt, in each build that a third of a day's labels needs."""
    path = make_project(
        folder,
        {"labels": monitor(features, multivariate=False)},
        ("predictions", "labels", "reference"),
    )
    with duckdb.connect(str(path)) as connection:
        connection.execute(f"set memory_limit = '{MEMORY_LIMIT}'")
        make_logs(connection, rows_a_day * days, days, features)
        add_shadow(connection)
    dbt(folder, "build")
    found = []
    for number in range(TIMES):
        land_labels(path, number)
        whole = dbt(folder, "build").seconds
        found.append({"dbt": whole, **model_seconds(folder)})
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rows-a-day", type=int, default=5_000)
    parser.add_argument("--features", type=int, default=5)
    given = parser.parse_args()
    seconds: dict[int, dict[str, float]] = {}
    for days in HISTORIES:
        with tempfile.TemporaryDirectory() as name:
            runs = measure(Path(name), days, given.rows_a_day, given.features)
        seconds[days] = {model: median(run[model] for run in runs) for model in runs[0]}
    short, long = (seconds[days] for days in HISTORIES)
    models = [model for model in long if model != "dbt"]
    sums = [sum(side[model] for model in models) for side in (short, long)]
    print(
        f"A day's labels of {given.rows_a_day:,} predictions, {HISTORIES[1]} days against {HISTORIES[0]}:"
    )
    print(
        f"  the build, dbt's start included  {long['dbt'] / short['dbt']:5.2f} x ({long['dbt']:.1f} s)"
    )
    print(f"  its models                       {sums[1] / sums[0]:5.2f} x ({sums[1]:.1f} s)")
    for model in sorted(models, key=lambda model: short[model] - long[model])[:12]:
        print(f"    {model:45} {short[model]:6.2f} s {long[model]:6.2f} s")


if __name__ == "__main__":
    main()
