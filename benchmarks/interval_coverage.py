"""How often the 95 % intervals of performance hold the true value.

    python benchmarks/interval_coverage.py
    python benchmarks/interval_coverage.py --windows 4000 --seed 2
    python benchmarks/interval_coverage.py --populations balanced honest

Each window is a new sample of one population, which never changes: the share of windows whose interval holds the
population's own value is the coverage. Predictions and labels are written as logs, and mlmon itself computes metrics
and intervals from them, one window a day. The population's values are scikit-learn's over a large sample. The
table of docs/interval_coverage.md is the output.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path

import duckdb
import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn import metrics as sk

from consumer import dbt, make_project

SIZES = (100, 300, 1_000)
# Fewer windows of the largest size: their rows are most of the work.
WINDOWS_OF_LARGEST = 0.5
TRUE_ROWS = 4_000_000
# Scores are binned by a reference of the same population.
REFERENCE_ROWS = 5_000
QUANTILE = 0.9
CLASSES = np.array(["a", "b", "c", "d"])
# Items of a query; the cut-off of its metrics.
ITEMS, TOP_K = 8, 5

Floats = npt.NDArray[np.float64]
Sample = dict[str, npt.NDArray[np.generic]]
Values = dict[str, float]


def logistic(x: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-x)), dtype=float)


def binary(rng: np.random.Generator, n: int, intercept: float) -> Sample:
    """Scores that rank well and are calibrated badly; predictions from a score of one half on."""
    x = rng.normal(size=n)
    score = logistic(1.4 * x + 0.8 * intercept)
    label = rng.random(n) < logistic(1.2 * x + intercept)
    return {"score": score, "prediction": (score >= 0.5).astype(int), "label": label.astype(int)}


def balanced(rng: np.random.Generator, n: int) -> Sample:
    return binary(rng, n, -0.2)


def rare(rng: np.random.Generator, n: int) -> Sample:
    return binary(rng, n, -1.8)


def honest(rng: np.random.Generator, n: int) -> Sample:
    """Scores that are calibrated: what ece there is, is chance."""
    score = logistic(1.4 * rng.normal(size=n) - 0.2)
    label = rng.random(n) < score
    return {"score": score, "prediction": (score >= 0.5).astype(int), "label": label.astype(int)}


def scarce(rng: np.random.Generator, n: int) -> Sample:
    """Calibrated scores of what is rare: most bins see no positive label."""
    score = logistic(rng.normal(size=n) - 5)
    label = rng.random(n) < score
    return {"score": score, "prediction": (score >= 0.5).astype(int), "label": label.astype(int)}


def bold(rng: np.random.Generator, n: int) -> Sample:
    """Scores that are far too high."""
    x = 1.2 * rng.normal(size=n) - 0.5
    score, label = logistic(x + 1), rng.random(n) < logistic(x)
    return {"score": score, "prediction": (score >= 0.5).astype(int), "label": label.astype(int)}


def multiclass(rng: np.random.Generator, n: int) -> Sample:
    label = rng.choice(4, n, p=[0.45, 0.3, 0.15, 0.1])
    votes = rng.normal(size=(n, 4))
    votes[np.arange(n), label] += 1.5
    scores = np.exp(votes) / np.exp(votes).sum(axis=1, keepdims=True)
    return {
        "prediction": CLASSES[votes.argmax(axis=1)],
        "label": CLASSES[label],
        **{f"score_{name}": scores[:, k] for k, name in enumerate(CLASSES)},
    }


def regression(rng: np.random.Generator, n: int) -> Sample:
    """Skewed labels, with errors that grow with them."""
    label = rng.gamma(3, 20, n)
    prediction = label * rng.normal(1.03, 0.15, n) + rng.normal(0, 3, n)
    return {"prediction": prediction, "label": label}


def ranking(rng: np.random.Generator, n: int) -> Sample:
    """Queries of eight items with grades 0 to 2, most of them 0, which scores tell from each other by half."""
    strength = rng.normal(size=(n, ITEMS))
    relevance = (strength > 0.8).astype(int) + (strength > 1.6)
    query = np.repeat(np.arange(n), ITEMS)
    return {
        "query_id": query.astype(str),
        "item_id": np.tile(np.arange(ITEMS), n).astype(str),
        "score": (strength + rng.normal(size=(n, ITEMS))).ravel(),
        "label": relevance.ravel(),
    }


def ece(sample: Sample, reference: Sample) -> float:
    """Mean absolute gap of scores and labels over the tenths of the reference's scores."""
    edges = np.quantile(
        reference["score"].astype(float), np.arange(1, 10) / 10, method="inverted_cdf"
    )
    bins = np.searchsorted(edges, sample["score"])
    gaps = np.bincount(bins, weights=sample["score"].astype(float) - sample["label"].astype(float))
    return float(np.abs(gaps).sum() / len(bins))


def ece_alone(_: Sample) -> Values:
    return {}


def score_values(sample: Sample) -> Values:
    """Of what is so rare that no class is predicted."""
    score, label = sample["score"], sample["label"]
    return {
        "roc_auc": sk.roc_auc_score(label, score),
        "average_precision": sk.average_precision_score(label, score),
        "log_loss": sk.log_loss(label, score),
        "brier": sk.brier_score_loss(label, score),
    }


def binary_values(sample: Sample) -> Values:
    score, prediction, label = sample["score"], sample["prediction"], sample["label"]
    return {
        "accuracy": sk.accuracy_score(label, prediction),
        "precision": sk.precision_score(label, prediction),
        "recall": sk.recall_score(label, prediction),
        "specificity": sk.recall_score(label, prediction, pos_label=0),
        "f1": sk.f1_score(label, prediction),
        "balanced_accuracy": sk.balanced_accuracy_score(label, prediction),
        "mcc": sk.matthews_corrcoef(label, prediction),
        "roc_auc": sk.roc_auc_score(label, score),
        "average_precision": sk.average_precision_score(label, score),
        "log_loss": sk.log_loss(label, score),
        "brier": sk.brier_score_loss(label, score),
    }


def multiclass_values(sample: Sample) -> Values:
    label, prediction = sample["label"], sample["prediction"]
    values = {
        "accuracy": sk.accuracy_score(label, prediction),
        "balanced_accuracy": sk.balanced_accuracy_score(label, prediction),
    }
    for name, score in (
        ("precision", sk.precision_score), ("recall", sk.recall_score), ("f1", sk.f1_score),
    ):  # fmt: skip
        values[f"{name}_macro"] = score(label, prediction, average="macro")
        values[f"{name}_weighted"] = score(label, prediction, average="weighted")
        values[f"{name} of d"] = score(label, prediction, labels=["d"], average=None)[0]
    scores = np.column_stack([sample[f"score_{name}"] for name in CLASSES])
    values["roc_auc_macro"] = sk.roc_auc_score(label, scores, multi_class="ovr", average="macro")
    values["log_loss"] = sk.log_loss(label, scores, labels=CLASSES)
    return values


def regression_values(sample: Sample) -> Values:
    label, prediction = sample["label"].astype(float), sample["prediction"].astype(float)
    size = np.abs(label) + np.abs(prediction)
    return {
        "mae": sk.mean_absolute_error(label, prediction),
        "mse": sk.mean_squared_error(label, prediction),
        "rmse": sk.root_mean_squared_error(label, prediction),
        "bias": float(np.mean(prediction - label)),
        "mape": sk.mean_absolute_percentage_error(label, prediction),
        "smape": float(np.mean(2 * np.abs(prediction - label) / size)),
        "r2": sk.r2_score(label, prediction),
        "median_absolute_error": sk.median_absolute_error(label, prediction),
        "pinball_loss": sk.mean_pinball_loss(label, prediction, alpha=QUANTILE),
    }


def ranking_values(sample: Sample) -> Values:
    """Means over the queries with a relevant item, by counting; ndcg is scikit-learn's."""
    score = sample["score"].astype(float).reshape(-1, ITEMS)
    grade = sample["label"].astype(float).reshape(-1, ITEMS)
    score, grade = score[grade.max(axis=1) > 0], grade[grade.max(axis=1) > 0]
    hits = np.take_along_axis(grade, np.argsort(-score, axis=1), axis=1) > 0
    precision = np.cumsum(hits, axis=1) / np.arange(1, ITEMS + 1)
    best = np.minimum(hits.sum(axis=1), TOP_K)
    return {
        f"ndcg_at_{TOP_K}": float(sk.ndcg_score(grade, score, k=TOP_K)),
        f"map_at_{TOP_K}": float(((precision * hits)[:, :TOP_K].sum(axis=1) / best).mean()),
        f"hit_rate_at_{TOP_K}": float(hits[:, :TOP_K].any(axis=1).mean()),
        "mrr": float((1 / (hits.argmax(axis=1) + 1)).mean()),
    }


POPULATIONS: dict[
    str, tuple[str, Callable[[np.random.Generator, int], Sample], Callable[[Sample], Values]]
] = {
    "balanced": ("binary", balanced, binary_values),
    "rare": ("binary", rare, binary_values),
    "honest": ("binary", honest, ece_alone),
    "scarce": ("binary", scarce, score_values),
    "bold": ("binary", bold, ece_alone),
    "classes": ("multiclass", multiclass, multiclass_values),
    "numbers": ("regression", regression, regression_values),
    "lists": ("ranking", ranking, ranking_values),
}


def monitor(task: str, name: str) -> dict[str, object]:
    """A monitor whose windows are days, and whose labels come at once."""
    return {
        "task": task,
        "predictions": {"source": ["logs", f"{name}_predictions"]},
        "labels": {"source": ["logs", f"{name}_labels"]},
        "reference": {"source": ["logs", f"{name}_reference"]} if task == "binary" else None,
        "columns": {
            "latency_ms": None, "outcome": None, "model_version": None,
            **({} if task in ("binary", "ranking") else {"score": None}),
        },
        **({"label_columns": {"relevance": "label"}, "top_k": [TOP_K]} if task == "ranking" else {}),
        **({"quantile": QUANTILE} if task == "regression" else {}),
        **({"class_scores": {str(c): f"score_{c}" for c in CLASSES}} if task == "multiclass" else {}),
        "features": {},
        "spans": ["1d"],
        "label_horizon_days": 1,
    }  # fmt: skip


def write_logs(
    connection: duckdb.DuckDBPyConnection, name: str, sample: Sample, windows: int
) -> None:
    """A log of as many equal days, and of their labels an hour later."""
    rows_of_day = len(sample["label"]) // windows
    days = pd.Timestamp("2015-01-01") + pd.to_timedelta(
        np.repeat(np.arange(windows), rows_of_day), unit="D"
    )
    rows = pd.DataFrame({**sample, "predicted_at": days + pd.Timedelta(hours=12)})
    rows["request_id"] = rows.index.astype(str)
    rows["loaded_at"] = rows["predicted_at"]
    rows["labeled_at"] = rows["predicted_at"] + pd.Timedelta(hours=1)
    connection.register("logged", rows)
    connection.execute(
        f"create table logs.{name}_predictions as select * exclude (label, labeled_at) from logged"
    )
    connection.execute(
        f"create table logs.{name}_labels as"
        " select request_id, label, labeled_at, labeled_at as loaded_at from logged"
    )
    connection.unregister("logged")


def coverage(windows: int, seed: int, populations: list[str]) -> pd.DataFrame:
    """Population, metric, interval method and, per number of rows, the share of intervals that hold."""
    rng = np.random.default_rng(seed)
    samples = {
        (name, n): int(windows * (WINDOWS_OF_LARGEST if n == SIZES[-1] else 1))
        for name in populations
        for n in SIZES
    }
    with tempfile.TemporaryDirectory() as folder:
        monitors = {
            f"{name}_{n}": monitor(POPULATIONS[name][0], f"{name}_{n}") for name, n in samples
        }
        logs = ("predictions", "labels", "reference")
        tables = [f"{key}_{log}" for key in monitors for log in logs]
        references = {name: POPULATIONS[name][1](rng, REFERENCE_ROWS) for name in populations}
        database = make_project(Path(folder), monitors, tables)
        with duckdb.connect(str(database)) as connection:
            connection.execute("create schema logs")
            for (name, n), days in samples.items():
                drawn = POPULATIONS[name][1](rng, n * days)
                write_logs(connection, f"{name}_{n}", drawn, days)
                connection.register("reference", pd.DataFrame(references[name]))
                connection.execute(f"create table logs.{name}_{n}_reference as from reference")
                connection.unregister("reference")
        dbt(Path(folder), "build", "--select", "+fct_mlmon__performance",
            "--vars", "{mlmon_lookback_days: 0}")  # fmt: skip
        with duckdb.connect(str(database), read_only=True) as connection:
            found = connection.execute(
                "select monitor, n_predictions, metric, class_label, interval_method, value_low,"
                " value_high from fct_mlmon__performance where model_version = 'all'"
                " and label_age = 'latest' and class_label in ('all', 'd') and value_low is not null"
            ).df()
    rows = []
    for name in populations:
        task, draw, value_of = POPULATIONS[name]
        whole = draw(rng, TRUE_ROWS if name != "lists" else TRUE_ROWS // ITEMS)
        truth = value_of(whole)
        if task == "binary":
            truth["ece"] = ece(whole, references[name])
        for label, value in truth.items():
            metric, _, of_class = label.partition(" of ")
            row: dict[str, object] = {"population": name, "metric": label}
            methods: list[str] = []
            for n in SIZES:
                held = found[
                    (found["monitor"] == f"{name}_{n}")
                    & (found["metric"] == metric)
                    & (found["class_label"] == (of_class or "all"))
                ]
                inside = (held["value_low"] <= value) & (value <= held["value_high"])
                # What some windows have too few rows for, most windows of another size have not.
                methods.extend(held["interval_method"].value_counts().index)
                row[f"n = {n:,}"] = float(inside.mean())
            row["interval"] = ", ".join(dict.fromkeys(methods))
            rows.append(row)
    return pd.DataFrame(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--windows", type=int, default=2_000, help="samples of each size")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--populations", nargs="+", choices=list(POPULATIONS), default=list(POPULATIONS)
    )
    given = parser.parse_args()
    table = coverage(given.windows, given.seed, given.populations)
    sizes = [f"n = {n:,}" for n in SIZES]
    print("| population | metric | interval | " + " | ".join(sizes) + " |")
    print("|---|---|---|" + "---:|" * len(sizes))
    for row in table.to_dict("records"):
        shares = " | ".join(f"{100 * row[size]:.1f} %" for size in sizes)
        print(f"| {row['population']} | {row['metric']} | {row['interval']} | {shares} |")


if __name__ == "__main__":
    main()
