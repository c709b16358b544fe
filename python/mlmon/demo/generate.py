"""Writes the logs of the flights demo: two monitors, and the truth about the incidents.

    python -m mlmon.demo.generate --data examples/flights/data --out examples/flights/logs_landed

The same inputs give the same files, byte for byte, with the same versions of the libraries.
"""

import argparse
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from mlmon.demo import incidents, logs
from mlmon.demo.draws import stream
from mlmon.demo.features import CATEGORIES, FEATURES, WHOLE_NUMBERS, build_flights
from mlmon.demo.models import train

LOGGED_SHARE = 0.1


@dataclass(frozen=True, slots=True)
class DemoSummary:
    """What was written. Months are 'YYYY-MM' at the airport, by the time of the prediction."""

    out_dir: Path
    full: bool
    n_rows: dict[str, int]
    n_incidents: int
    reference_auc: float
    auc_by_month: dict[str, float]
    air_time_bias_by_month: dict[str, float]


def generate(
    data_dir: Path,
    out_dir: Path,
    *,
    full: bool = False,
    progress: Callable[[str], None] | None = None,
) -> DemoSummary:
    """Write the demo's files to ``out_dir`` and say what is in them.

    Files: predictions, labels, reference (flight_late, binary) and air_time_predictions,
    air_time_labels, air_time_reference (regression) as .parquet; incidents.csv and incidents.json.
    A tenth of the flights is logged, or every one with ``full``; the models and the rows that both
    have are the same. ``progress`` gets one short sentence per step.

    Raises FileNotFoundError where ``data_dir`` lacks a table and ModuleNotFoundError where
    scikit-learn is not installed.
    """
    say = progress or _silent
    say("reading a year of flights, weather and planes")
    flights = build_flights(data_dir)
    flights["is_logged"] = full | (stream("logged").random(len(flights)) < LOGGED_SHARE)
    models = train(flights, say)

    say("scoring April to December, incidents included")
    is_production = logs.is_production(flights)
    spring = flights[~is_production].reset_index(drop=True)
    production = flights[is_production].reset_index(drop=True)
    predictions = incidents.disturb_log(
        logs.late_log(incidents.disturb_features(production), models)
    )
    labels = incidents.disturb_labels(logs.late_labels(production))
    tables = {
        "predictions": predictions,
        "labels": labels,
        "reference": logs.late_reference(spring, models.reference_late),
        "air_time_predictions": logs.air_time_log(production, models.air_time),
        "air_time_labels": logs.air_time_labels(production),
        "air_time_reference": logs.air_time_reference(spring, models.reference_air_time),
    }
    tables = {name: table[table["is_logged"]] for name, table in tables.items()}
    touched = pd.concat([tables["predictions"]["incident_id"], tables["labels"]["incident_id"]])
    tables["predictions"] = incidents.drop_lost(tables["predictions"])

    say(f"writing {sum(map(len, tables.values())):,} rows to {out_dir}")
    out_dir.mkdir(parents=True, exist_ok=True)
    for name, table in tables.items():
        _write(table, name, out_dir)
    _write_truth(incidents.truth(touched.value_counts().to_dict()), out_dir)
    return _summarise(tables, out_dir, full)


def _silent(_: str) -> None:
    pass


def _schema(name: str) -> pa.Schema:
    number = pa.float64() if name.startswith("air_time") else pa.int32()
    time = pa.timestamp("us")
    types = {
        "predicted_at": time,
        "loaded_at": time,
        "labeled_at": time,
        "prediction": number,
        "label": number,
        "score": pa.float64(),
        "latency_ms": pa.float64(),
        **{feature: pa.float64() for feature in FEATURES},
        **{feature: pa.int32() for feature in WHOLE_NUMBERS},
        **{feature: pa.string() for feature in CATEGORIES},
    }
    columns = logs.LABEL_COLUMNS if name.endswith("labels") else logs.LOG_COLUMNS
    if name.endswith("reference"):
        columns = [*columns, "label"]
    if name.startswith("air_time"):
        columns = [column for column in columns if column != "score"]
    return pa.schema([(column, types.get(column, pa.string())) for column in columns])


def _write(table: pd.DataFrame, name: str, out_dir: Path) -> None:
    """Rows in the order in which they were loaded, as a log grows."""
    table = table.sort_values(["loaded_at", "request_id"], kind="stable")
    schema = _schema(name)
    arrays = [pa.Array.from_pandas(table[field.name], type=field.type) for field in schema]
    pq.write_table(
        pa.Table.from_arrays(arrays, schema=schema),
        out_dir / f"{name}.parquet",
        compression="zstd",
    )


def _write_truth(truth: pd.DataFrame, out_dir: Path) -> None:
    truth.to_csv(out_dir / "incidents.csv", index=False, date_format="%Y-%m-%d %H:%M:%S")
    records = [
        {
            key: value.isoformat(sep=" ") if isinstance(value, pd.Timestamp) else value
            for key, value in record.items()
        }
        for record in truth.to_dict(orient="records")
    ]
    text = json.dumps(records, indent=2, ensure_ascii=False)
    (out_dir / "incidents.json").write_text(text + "\n", encoding="utf-8")


def _summarise(tables: dict[str, pd.DataFrame], out_dir: Path, full: bool) -> DemoSummary:
    from sklearn.metrics import roc_auc_score

    def auc(rows: pd.DataFrame) -> float:
        known = rows[rows["label"].notna() & rows["score"].notna()]
        return round(float(roc_auc_score(known["label"], known["score"])), 4)

    def known(log_name: str, labels_name: str) -> pd.DataFrame:
        labels = tables[labels_name].sort_values("loaded_at")
        newest = labels.drop_duplicates("request_id", keep="last")[["request_id", "label"]]
        rows = tables[log_name].drop_duplicates("request_id").merge(newest, on="request_id")
        return rows.assign(month=rows["local_day"].dt.strftime("%Y-%m"))

    late = known("predictions", "labels").groupby("month")
    air_time = known("air_time_predictions", "air_time_labels").groupby("month")
    return DemoSummary(
        out_dir=out_dir,
        full=full,
        n_rows={name: len(table) for name, table in tables.items()},
        n_incidents=len(incidents.INCIDENTS),
        reference_auc=auc(tables["reference"]),
        auc_by_month={str(month): auc(rows) for month, rows in late},
        air_time_bias_by_month={
            str(month): round(float((rows["prediction"] - rows["label"]).mean()), 2)
            for month, rows in air_time
        },
    )


def main(arguments: list[str] | None = None) -> None:
    """The command line of this module."""
    parser = argparse.ArgumentParser(description="Write the logs of the flights demo.")
    parser.add_argument(
        "--data", type=Path, required=True, help="folder of the three source tables"
    )
    parser.add_argument("--out", type=Path, required=True, help="folder to write the logs to")
    parser.add_argument("--full", action="store_true", help="log every flight, not a tenth")
    options = parser.parse_args(arguments)
    summary = generate(options.data, options.out, full=options.full, progress=print)
    print(json.dumps(asdict(summary), indent=2, default=str))


if __name__ == "__main__":
    main()
