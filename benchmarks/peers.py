"""What a build costs beside Evidently and NannyML on the same rows, as ratios within one run.

    python benchmarks/peers.py
    python benchmarks/peers.py --rows 20000 --features 5 --environments ../environments

Writes a log of 30 days and a reference of 50,000 rows to Parquet once, and lets each tool read these files in a
process of its own: Evidently 0.7 its preset of data drift, NannyML 0.13 its univariate drift and its estimate of
performance (CBPE), mlmon a first `dbt build` on DuckDB (dbt's start and its models' views of the files included).
Each tool lives in a virtual environment of its own, which pip fills at the first call (--environments keeps it).
Machines differ and are noisy: compare ratios, never seconds.

What can be compared: the same rows, columns and reference, from file to result, with each tool's own defaults.
What cannot: Evidently compares all rows at once, by one statistic a column (Wasserstein distance). NannyML has each
day by itself, by one statistic a column (Jensen-Shannon), and three estimated metrics. mlmon has each day and each
span of days, by several statistics with tests and thresholds, of features, score and prediction; and in the same
seconds quality checks, profiles, labels and what they say of performance, estimates, latencies, alerts, and tables
that the next day is added to. The peers hold their rows in memory and answer once; only mlmon stores what it found.
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
import venv
from dataclasses import dataclass
from pathlib import Path

import duckdb

from consumer import MEMORY_LIMIT, FailedError, Run, dbt, make_project, measured
from scale import make_logs, monitor

TABLES = ("predictions", "labels", "reference")
# Neither tool tells its makers about these runs.
QUIET = {"DO_NOT_TRACK": "1", "NML_DISABLE_USAGE_LOGGING": "1"}

READ = """
import sys, warnings
warnings.filterwarnings("ignore")
import pandas as pd
folder, features = sys.argv[1], ["x%d" % k for k in range(1, int(sys.argv[2]) + 1)]
def read(name, *columns):
    return pd.read_parquet(folder + "/" + name + ".parquet", columns=[*columns])
"""

EVIDENTLY = (
    READ
    + """
from evidently import DataDefinition, Dataset, Report
from evidently.presets import DataDriftPreset
definition = DataDefinition(numerical_columns=features)
current, reference = (
    Dataset.from_pandas(read(name, *features), data_definition=definition)
    for name in ("predictions", "reference")
)
found = Report([DataDriftPreset()]).run(current, reference).dict()
judged = {metric["config"].get("column") for metric in found["metrics"]} & set(features)
print(len(judged), "columns")
"""
)

NANNYML_DRIFT = (
    READ
    + """
from nannyml import UnivariateDriftCalculator
calculator = UnivariateDriftCalculator(
    column_names=features, timestamp_column_name="predicted_at", chunk_period="D"
)
calculator.fit(read("reference", "predicted_at", *features))
found = calculator.calculate(read("predictions", "predicted_at", *features))
found = found.filter(period="analysis").to_df()
judged = set(found.columns.get_level_values(0)) & set(features)
print(len(judged), "columns,", len(found), "days")
"""
)

NANNYML_CBPE = (
    READ
    + """
from nannyml import CBPE
estimator = CBPE(
    problem_type="classification_binary", y_pred_proba="score", y_pred="prediction", y_true="label",
    timestamp_column_name="predicted_at", chunk_period="D", metrics=["roc_auc", "f1", "accuracy"],
)
read_columns = ["predicted_at", "score", "prediction"]
estimator.fit(read("reference", *read_columns, "label"))
found = estimator.estimate(read("predictions", *read_columns))
print("3 metrics,", len(found.filter(period="analysis").to_df()), "days")
"""
)


@dataclass(frozen=True)
class Peer:
    """A tool in a virtual environment: what pip installs there, and what it does by name."""

    name: str
    # It says with which Python it works.
    requirements: tuple[str, ...]
    scripts: dict[str, str]


PEERS = (
    Peer("Evidently", ("evidently==0.7.*", "pandas==2.3.*", "pyarrow"), {"data drift": EVIDENTLY}),
    # It needs Python 3.9 to 3.12, imports statsmodels without asking for it, and knows no pandas 3.
    Peer(
        "NannyML",
        ("nannyml==0.13.*", "pandas==2.3.*", "pyarrow", "statsmodels"),
        {"univariate drift": NANNYML_DRIFT, "CBPE": NANNYML_CBPE},
    ),
)


def install(peer: Peer, folder: Path) -> str:
    """Makes the tool's virtual environment where there is none; returns its Python."""
    place = folder / peer.name.lower()
    python = place / "bin" / "python"
    complete = place / "complete"
    if not complete.exists():
        venv.create(place, with_pip=True, clear=True)
        command = [str(python), "-m", "pip", "install", "--quiet", *peer.requirements]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise FailedError(f"{' '.join(command)} failed:\n{done.stderr}")
        complete.write_text("\n".join(peer.requirements) + "\n")
    return str(python)


def write_rows(folder: Path, rows: int, features: int, days: int) -> None:
    """Writes the log, its labels and the reference as Parquet files."""
    with duckdb.connect(str(folder / "made.duckdb")) as connection:
        connection.execute(f"set memory_limit = '{MEMORY_LIMIT}'")
        make_logs(connection, rows, days, features)
        for table in TABLES:
            connection.execute(
                f"copy logs.{table} to '{folder / table}.parquet' (format parquet, compression zstd)"
            )
    (folder / "made.duckdb").unlink()


def build(folder: Path, files: Path, features: int) -> Run:
    """A first build of mlmon over the Parquet files."""
    path = make_project(folder, {"peers": monitor(features, multivariate=False)}, TABLES)
    with duckdb.connect(str(path)) as connection:
        connection.execute("create schema logs")
        for table in TABLES:
            connection.execute(
                f"create view logs.{table} as select * from read_parquet('{files / table}.parquet')"
            )
    return dbt(folder, "build")


def line(tool: str, does: str, run: Run, ours: Run) -> str:
    cells = (
        f"{run.seconds:.1f}",
        f"{run.processor:.1f}",
        f"{run.peak:,.0f}",
        f"{run.seconds / ours.seconds:.2f}",
        f"{run.processor / ours.processor:.2f}",
        f"{run.peak / ours.peak:.2f}",
    )
    return f"| {tool} | {does} | " + " | ".join(cells) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rows", type=int, default=1_000_000, help="prediction rows in the log")
    parser.add_argument("--features", type=int, default=20, help="numeric features")
    parser.add_argument("--days", type=int, default=30, help="days the rows are spread over")
    parser.add_argument(
        "--environments", type=Path, help="where the tools are installed, and found the next time"
    )
    given = parser.parse_args()
    failures = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        environments = given.environments or folder / "environments"
        files = folder / "files"
        files.mkdir()
        write_rows(files, given.rows, given.features, given.days)
        ours = build(folder / "mlmon", files, given.features)
        print(
            f"{given.rows:,} rows x {given.features} features over {given.days} days, times and memory"
            " also as multiples of mlmon's\n"
        )
        print("| tool | does | s | processor s | peak MB | s | processor s | peak MB |")
        print("|---|---|" + "---:|" * 6)
        print(line("mlmon", "everything, each day and span", ours, ours), flush=True)
        for peer in PEERS:
            try:
                python = install(peer, environments.resolve())
                for does, script in peer.scripts.items():
                    run = measured(
                        folder, python, "-c", script, str(files), str(given.features),
                        environment=QUIET,
                    )  # fmt: skip
                    judged = run.printed.strip().splitlines()[-1]
                    print(line(peer.name, f"{does}: {judged}", run, ours), flush=True)
            except FailedError as failure:
                print(f"| {peer.name} | not measured, see below |" + " |" * 6, flush=True)
                failures.append(f"{peer.name} was not measured. {failure}")
    if failures:
        raise SystemExit("\n\n" + "\n\n".join(failures))


if __name__ == "__main__":
    main()
