"""Logs of every task and of every part of the package, as they stand before each of three runs.

Two versions, also on the same requests; late rows and labels, repeated, corrected and deleted ones; features that
drift, that are missing, that have many categories. What the histories of test_convergence.py are for one task in
depth, these are for all of them in breadth.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pandas as pd

START = pd.Timestamp("2026-03-02")
DAYS, PER_DAY, RUNS = 16, 48, 3
TASKS = ("binary", "multiclass", "regression", "ranking")
AREAS = ["association", "common_traffic", "decomposition", "profiles"]
LOGS = [f"{task}_{log}" for task in TASKS for log in ("predictions", "labels", "reference")]
SOURCES = {"logs": LOGS}
TIMES = {"predicted_at": "timestamp", "loaded_at": "timestamp", "labeled_at": "timestamp"}
TYPES = {**TIMES, "region": "text", "shop": "text", "x": "double precision", "score": "double precision",
         "latency_ms": "double precision", "outcome": "text"}  # fmt: skip


def monitors(*, with_areas: bool) -> dict[str, Any]:
    """One monitor a task with most of what there is, and some that differ in grain, reference and baseline."""
    areas = {"areas": AREAS} if with_areas else {}
    features = {
        "x": {"kind": "numeric", "min": -3, "max": 3},
        "y": {"kind": "numeric", "bins": {"policy": "equal_width", "k": 5}},
        "shop": "categorical",
        "amount": "numeric",
    }
    common = {
        "success_outcomes": ["ok"],
        "spans": ["1d", "3d"],
        "label_horizon_days": 4,
        "label_ages_days": [1, 2],
        "segments": ["region"],
        "features": features,
        "drift_methods": [
            "psi",
            "js_distance",
            "chi_square",
            "missing_change",
            "ks",
            "wasserstein",
        ],
        **areas,
    }

    def of_task(task: str, **keys: Any) -> dict[str, Any]:
        return {
            "task": task,
            "predictions": {"source": ["logs", f"{task}_predictions"]},
            "labels": {"source": ["logs", f"{task}_labels"]},
            "reference": {"source": ["logs", f"{task}_reference"]},
            **common,
            **keys,
        }

    return {
        "binary": of_task(
            "binary",
            preset="evidently",
            multivariate={"rows": 200},
            fairness=["region"],
            slo={"latency_ms": 40, "target": 0.9},
            kpis={
                "revenue": {"expression": "amount", "warning": 0.05, "critical": 0.1},
                "saved": {
                    "expression": "case when label = 1 and prediction = 1 then amount else 0 end",
                    "warning": 0.05,
                },
            },
            value_matrix={"tp": 10, "fp": -2.5, "fn": -5, "tn": 0.25},
        ),
        "multiclass": of_task(
            "multiclass",
            reference={"first_days": 5},
            class_scores={"0": "p_0", "1": "p_1", "2": "p_2"},
            columns={"score": None},
        ),
        "regression": of_task(
            "regression",
            reference={"from": "2026-03-02", "to": "2026-03-05"},
            columns={"score": None},
            quantile=0.7,
            timezone="America/New_York",
        ),
        "ranking": of_task(
            "ranking",
            top_k=[1, 3],
            columns={"prediction": None},
            label_columns={"relevance": "label"},
            reference_columns={"relevance": "label"},
            features={"x": "numeric"},
            drift_methods=["psi", "ks"],
        ),
        # The same logs again, looked at in other ways.
        "previous_version": of_task(
            "binary", baseline="previous_version", features={"x": "numeric"}, segments=[],
            reference={"first_days": 3, "version": "v1"},
        ),
        "previous_span": of_task(
            "regression", baseline="previous_span", columns={"score": None}, features={"x": "numeric"},
            reference={"source": ["logs", "regression_reference"], "previous_span": True},
        ),
        "hourly": of_task(
            "binary", grain="hour", spans=["1h", "24h"], features={"x": "numeric"}, segments=[],
            label_ages_days=[4],
        ),
        "unlabelled": {
            key: value
            for key, value in of_task(
                "multiclass", reference={"first_days": 4, "rolling_days": 3}, columns={"score": None}
            ).items()
            if not key.startswith("label")
        },
    }  # fmt: skip


@cache
def requests() -> pd.DataFrame:
    """Every request of every task: what it asked, what each version answers, what turned out."""
    n = DAYS * PER_DAY
    random = np.random.default_rng(17)
    day = np.repeat(np.arange(DAYS), PER_DAY)
    draw = random.uniform(size=n)
    region = random.choice(["east", "west"], size=n, p=[0.6, 0.4]).astype(object)
    region[(day >= 8) & (draw < 0.2)] = "north"
    region[draw > 0.97] = None
    strength = random.normal(size=n)
    x = np.round(strength + random.normal(size=n) / 2 + 0.6 * (day > 10), 3)
    x[draw < 0.05] = np.nan
    x[draw > 0.995] = 1e9
    at = START + pd.to_timedelta(day, unit="D")
    at += pd.to_timedelta(np.tile(np.arange(PER_DAY) * 1700, DAYS), unit="s")
    made: dict[str, Any] = {
        "request_id": [f"r{i}" for i in range(n)],
        "at": at,
        "day": day,
        "draw": draw,
        "region": region,
        "x": x,
        "y": random.integers(0, 9, n).astype(float),
        # More categories than there are bins for, with new ones in the second half.
        "shop": [f"s{int(i) % 140 + (7 if d > 9 and i % 5 == 0 else 0)}" for i, d in
                 zip(random.integers(0, 400, n), day, strict=True)],
        "amount": np.round(random.gamma(4.0, 25.0, size=n), 2),
        "binary": (strength > 0).astype(int),
        "multiclass": np.digitize(strength, [-0.5, 0.5]),
        "regression": np.round(strength * 10, 4),
        "ranking": np.clip(np.round(strength), 0, 3),
    }  # fmt: skip
    for version, noise in (("v1", 0.7), ("v2", 1.1)):
        seen = strength + random.normal(size=n) * noise
        made[f"score_{version}"] = np.round(1 / (1 + np.exp(-seen)), 2)
        made[f"seen_{version}"] = seen
    return pd.DataFrame(made)


def answers(task: str, version: str, rows: pd.DataFrame) -> pd.DataFrame:
    """What a version answered to these requests, as a prediction log without times."""
    seen, score = rows[f"seen_{version}"], rows[f"score_{version}"]
    made = rows[["request_id", "region", "x", "y", "shop", "amount"]].assign(
        model_version=version, score=score, label=rows[task]
    )
    if task == "binary":
        return made.assign(prediction=(score > 0.5).astype(int))
    if task == "regression":
        return made.assign(prediction=np.round(seen * 10, 4))
    if task == "ranking":
        return made.assign(
            prediction=0,
            query_id=[f"q{i // 6}" for i in range(len(rows))],
            item_id=[f"item{i % 29}" for i in range(len(rows))],
        )
    votes = np.exp(-((seen.to_numpy()[:, None] - np.array([-1.0, 0.0, 1.0])) ** 2))
    shares = np.round(votes / votes.sum(axis=1, keepdims=True), 6)
    return made.assign(
        prediction=shares.argmax(axis=1),
        **{f"p_{number}": shares[:, number] for number in range(3)},
    )


def reference_of(task: str) -> pd.DataFrame:
    """A labelled reference with times: the requests of the first days, answered by the first version."""
    rows = requests()
    rows = rows[rows["day"] < 6]
    made = answers(task, "v1", rows).drop(columns="model_version")
    # Over twelve days, so that spans have windows to vary over.
    return made.assign(
        predicted_at=rows["at"] - pd.Timedelta(days=40) + pd.to_timedelta(rows["day"], unit="D")
    )


@cache
def log_of(task: str) -> pd.DataFrame:
    """The whole prediction log: v1 all along, v2 beside it on half of the requests from day 6 on."""
    rows = requests()
    both = rows[(rows["day"] >= 6) & (rows["draw"] < 0.5)]
    parts = [
        answers(task, version, part).assign(predicted_at=part["at"], draw=part["draw"])
        for version, part in (("v1", rows), ("v2", both))
    ]
    log = pd.concat(parts, ignore_index=True)
    late = np.where(log["draw"] > 0.9, 30, 0) + np.where(log["draw"] > 0.96, 60, 0)
    log["loaded_at"] = log["predicted_at"] + pd.to_timedelta(late * 60 + 1, unit="min")
    log["latency_ms"] = np.round(20 + 40 * log["draw"], 3)
    log["outcome"] = np.where(log["draw"] > 0.98, "error", "ok")
    repeated = log[::37].assign(loaded_at=lambda frame: frame["loaded_at"] + pd.Timedelta(days=1))
    return pd.concat([log, repeated], ignore_index=True)


@cache
def labels_of(task: str) -> pd.DataFrame:
    """The whole label log: most within a day, some late, some corrected, one request in ten never."""
    rows = requests()
    rows = rows[rows["draw"] < 0.9]
    delay = np.where(rows["draw"] < 0.3, 0.4, np.where(rows["draw"] < 0.7, 1.5, 3.2))
    labeled = rows["at"] + pd.to_timedelta(delay, unit="D")
    made = pd.DataFrame(
        {
            "request_id": rows["request_id"],
            "label": rows[task],
            "labeled_at": labeled,
            "loaded_at": labeled + pd.Timedelta(minutes=5),
        }
    )
    other = requests().set_index("request_id")[task].sample(frac=1, random_state=3).to_numpy()
    corrected = made[::11].assign(
        label=other[: len(made[::11])],
        labeled_at=lambda frame: frame["labeled_at"] + pd.Timedelta(days=1),
        loaded_at=lambda frame: frame["loaded_at"] + pd.Timedelta(days=1),
    )
    orphan = made[:3].assign(request_id=["gone1", "gone2", "gone3"])
    return pd.concat([made, corrected, orphan], ignore_index=True)


def load(warehouse: Any, run: int) -> None:
    """The logs as they stand before a run: day 9, day 13, and everything with a correction and a deletion."""
    until = START + pd.Timedelta(days=[9, 13, 90][run])
    for task in TASKS:
        log, labels, reference = log_of(task), labels_of(task), reference_of(task)
        log = log[log["loaded_at"] < until]
        if run == RUNS - 1:
            # A day of a version is gone, and some rows come again with other values.
            lost = (log["predicted_at"].dt.normalize() == START + pd.Timedelta(days=11)) & (
                log["model_version"] == "v2"
            )
            again = log[5::97].assign(
                x=0.25, loaded_at=lambda frame: frame["loaded_at"] + pd.Timedelta(days=3)
            )
            log = pd.concat([log[~lost], again], ignore_index=True)
        warehouse.load(f"{task}_predictions", log.drop(columns=["label", "draw"]), types=TYPES)
        warehouse.load(f"{task}_labels", labels[labels["loaded_at"] < until], types=TIMES)
        warehouse.load(f"{task}_reference", reference, types=TYPES)
