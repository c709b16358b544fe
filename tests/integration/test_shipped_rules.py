"""The rules that ship, on logs of a model of which nothing is known: silent where all is well, and each
fires where what it is for has happened."""

from __future__ import annotations

import csv
from typing import Any

import numpy as np
import pandas as pd
import pytest

from support.dbt_project import ROOT, DbtProject
from support.warehouses import Engine

START = pd.Timestamp("2026-01-05")
DAYS, A_DAY = 72, 600
# From these days on the broken log is what its rules are for.
WRONG, SHIFTED, SLOW, FAILING = 50, 60, 60, 62
LOST_DAY, UNLABELLED = 64, 66
HORIZON = 3


def requests(seed: int, *, is_broken: bool) -> pd.DataFrame:
    """Days of requests to a classifier that is right three times out of four, busier by day than at night."""
    random = np.random.default_rng(seed)
    n = DAYS * A_DAY
    day = np.repeat(np.arange(DAYS), A_DAY)
    at = START + pd.to_timedelta(day, unit="D") + pd.to_timedelta(
        np.sort(random.beta(2, 2, (DAYS, A_DAY)), axis=1).ravel() * 86_390, unit="s"
    )  # fmt: skip
    is_shifted = is_broken & (day >= SHIFTED)
    features = {f"x{i}": random.normal(1.5 * is_shifted, 1.0, n) for i in range(4)}
    score = np.clip(random.beta(2, 2, n) * 0.9 + 0.25 * is_shifted, 0, 1)
    prediction = (score > 0.5).astype(int)
    is_right = random.random(n) < np.where(is_broken & (day >= WRONG), 0.55, 0.75)
    fails = random.random(n) < np.where(is_broken & (day >= FAILING), 0.1, 0.001)
    return pd.DataFrame({
        "request_id": [f"r{i}" for i in range(n)],
        "model_version": "v1",
        "predicted_at": at,
        "loaded_at": at + pd.Timedelta(minutes=5),
        **features,
        "score": score,
        "prediction": prediction,
        "latency_ms": random.lognormal(3, 0.5, n) * np.where(is_broken & (day >= SLOW), 2.5, 1.0),
        "outcome": np.where(fails, "error", "ok"),
        "label": np.where(is_right, prediction, 1 - prediction),
        "day": day,
    })  # fmt: skip


def logs(seed: int, *, is_broken: bool) -> tuple[pd.DataFrame, pd.DataFrame]:
    made = requests(seed, is_broken=is_broken)
    labels = made.query("outcome == 'ok'")
    # Most labels come within a day, the rest never.
    labels = labels[np.random.default_rng(seed + 1).random(len(labels)) < 0.9]
    came = labels["predicted_at"] + pd.Timedelta(hours=20)
    labels = pd.DataFrame({"request_id": labels["request_id"], "label": labels["label"],
                           "labeled_at": came, "loaded_at": came, "day": labels["day"]})  # fmt: skip
    labels = labels[labels["loaded_at"] < START + pd.Timedelta(days=DAYS)]
    if is_broken:
        made = made[made["day"] != LOST_DAY]
        labels = labels[(labels["day"] < UNLABELLED) & (labels["day"] != LOST_DAY)]
    return made.drop(columns=["label", "day"]), labels.drop(columns="day")


def monitor(name: str) -> dict[str, Any]:
    return {
        "task": "binary",
        "predictions": {"source": ["logs", f"{name}_predictions"]},
        "labels": {"source": ["logs", f"{name}_labels"]},
        "success_outcomes": ["ok"],
        "features": {f"x{i}": "numeric" for i in range(4)},
        "label_horizon_days": HORIZON,
        "slo": {"latency_ms": 80, "target": 0.99},
    }


@pytest.fixture(scope="module")
def project(make_project: Any, engine: Engine) -> DbtProject:
    names = ("sound", "broken")
    made: DbtProject = make_project(
        engine,
        vars={"mlmon_monitors": {name: monitor(name) for name in names}},
        sources={"logs": [f"{name}_{log}" for name in names for log in ("predictions", "labels")]},
    )
    for seed, name in enumerate(names):
        predictions, labels = logs(seed, is_broken=name == "broken")
        made.warehouse.load(f"{name}_predictions", predictions)
        made.warehouse.load(f"{name}_labels", labels)
    made.build("--select", "+fct_mlmon__alert_states", "fct_mlmon__alert_episodes")
    return made


def fired(project: DbtProject, name: str) -> pd.DataFrame:
    return project.read("fct_mlmon__alert_episodes").query(f"monitor == '{name}'")


def test_where_all_is_well_nothing_fires(project: DbtProject) -> None:
    told = fired(project, "sound")
    columns = ["rule_id", "metric", "column_name", "fired_at", "severity", "peak_value"]
    assert told[columns].to_dict("records") == []
    judged = project.read("fct_mlmon__alert_states").query("monitor == 'sound' and n_judged > 0")
    assert set(judged["rule_id"]) == shipped()


def test_every_rule_fires_where_what_it_is_for_has_happened(project: DbtProject) -> None:
    told = fired(project, "broken")
    assert set(told["rule_id"]) == shipped()
    began = told.groupby("rule_id")["since_window_end"].min()
    due = {
        "performance_loss": WRONG, "drift_share": SHIFTED, "score_drift": SHIFTED,
        "prediction_drift": SHIFTED, "latency_rise": SLOW, "error_rate": FAILING,
        "no_predictions": LOST_DAY, "labels_late": UNLABELLED,
    }  # fmt: skip
    for rule, day in due.items():
        assert began[rule] > START + pd.Timedelta(days=day), rule
        assert began[rule] <= START + pd.Timedelta(days=day + 8), rule


def shipped() -> set[str]:
    with (ROOT / "seeds/alert_rules.csv").open(encoding="utf-8") as file:
        return {row["rule_id"] for row in csv.DictReader(file) if row["enabled"] == "true"}
